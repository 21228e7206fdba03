// A peer of the benchmark: plain use of amqp091-go, as its documentation advises.
//
//	peer publish URL QUEUE COUNT SIZE         with confirms
//	peer consume URL QUEUE COUNT              with acks
//	peer paced URL QUEUE RATE SECONDS SIZE    both, on two connections: how late a message is
//
// Prints one line of JSON. side_by_side.sh runs it.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"sort"
	"strconv"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	window   = 1000
	prefetch = 1000
	ackEvery = 100
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	check(err)
	return n
}

func open(url string) (*amqp.Connection, *amqp.Channel) {
	connection, err := amqp.Dial(url)
	check(err)
	channel, err := connection.Channel()
	check(err)
	return connection, channel
}

// ---- publishing ----

// A publisher reads the confirms itself: their Go channel holds the whole window, so that the
// library never waits for us.
type publisher struct {
	channel  *amqp.Channel
	queue    string
	confirms chan amqp.Confirmation
	open     int
}

func newPublisher(channel *amqp.Channel, queue string) *publisher {
	check(channel.Confirm(false))
	return &publisher{channel: channel, queue: queue,
		confirms: channel.NotifyPublish(make(chan amqp.Confirmation, window))}
}

func (p *publisher) takeConfirm() {
	if c, ok := <-p.confirms; !ok || !c.Ack {
		log.Fatal("a message was not confirmed")
	}
	p.open--
}

func (p *publisher) send(body []byte) {
	if p.open == window {
		p.takeConfirm()
	}
	check(p.channel.PublishWithContext(context.Background(), "", p.queue, false, false,
		amqp.Publishing{DeliveryMode: amqp.Transient, Body: body}))
	p.open++
}

func (p *publisher) finish() {
	for p.open > 0 {
		p.takeConfirm()
	}
}

func body(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = 'x'
	}
	return b
}

// ---- consuming ----

func subscribe(channel *amqp.Channel, queue string) <-chan amqp.Delivery {
	check(channel.Qos(prefetch, 0, false))
	deliveries, err := channel.Consume(queue, "", false, false, false, false, nil)
	check(err)
	return deliveries
}

func receive(deliveries <-chan amqp.Delivery, count int, each func(n int, d *amqp.Delivery)) {
	for n := 1; n <= count; n++ {
		d, ok := <-deliveries
		if !ok {
			log.Fatal("the consumer was cancelled")
		}
		each(n, &d)
		if n%ackEvery == 0 || n == count {
			check(d.Ack(true))
		}
	}
}

// ---- the jobs ----

func wall() float64 { return float64(time.Now().UnixMicro()) / 1e6 }

func report(job string, count int, began float64) {
	fmt.Printf(`{"client":"go","job":"%s","count":%d,"began":%.6f,"ended":%.6f}`+"\n",
		job, count, began, wall())
}

func floodPublish(url, queue string, count, size int) {
	connection, channel := open(url)
	p, b := newPublisher(channel, queue), body(size)
	began := wall()
	for n := 0; n < count; n++ {
		p.send(b)
	}
	p.finish()
	report("publish", count, began)
	check(connection.Close())
}

func floodConsume(url, queue string, count int) {
	connection, channel := open(url)
	began := wall()
	receive(subscribe(channel, queue), count, func(int, *amqp.Delivery) {})
	report("consume", count, began)
	check(connection.Close())
}

func publishPaced(p *publisher, start time.Time, rate, count, size int) {
	for n := 0; n < count; {
		due := time.Duration(n) * time.Second / time.Duration(rate)
		now := time.Since(start)
		if now < due {
			time.Sleep(due - now)
			continue
		}
		b := body(size)
		binary.BigEndian.PutUint64(b, uint64(due))
		binary.BigEndian.PutUint64(b[8:], uint64(now))
		p.send(b)
		n++
	}
	p.finish()
}

// The smallest sample that this share of them does not exceed, in microseconds.
func percentile(samples []time.Duration, share float64) float64 {
	n := int(share*float64(len(samples)) + 0.999999)
	return float64(samples[n-1]) / 1000
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func paced(url, queue string, rate, seconds, size int) {
	count := rate * seconds
	fromDue := make([]time.Duration, count)
	fromSent := make([]time.Duration, count)
	gap := make([]time.Duration, count)
	publishing, channel := open(url)
	p := newPublisher(channel, queue)
	consuming, channel := open(url)
	deliveries := subscribe(channel, queue)
	start := time.Now()
	finished := make(chan bool)
	go func() {
		publishPaced(p, start, rate, count, size)
		finished <- true
	}()
	receive(deliveries, count, func(n int, d *amqp.Delivery) {
		now := time.Since(start)
		due := time.Duration(binary.BigEndian.Uint64(d.Body))
		sent := time.Duration(binary.BigEndian.Uint64(d.Body[8:]))
		fromDue[n-1], fromSent[n-1], gap[n-1] = now-due, now-sent, sent-due
	})
	<-finished
	for _, s := range [][]time.Duration{fromDue, fromSent, gap} {
		sort.Slice(s, func(i, j int) bool { return s[i] < s[j] })
	}
	fmt.Printf(`{"client":"go","sent":%d,"received":%d,"p50_due_us":%.1f,"p99_due_us":%.1f,`+
		`"p50_sent_us":%.1f,"p99_sent_us":%.1f,"p99_gap_us":%.1f,"cpu_seconds":%.3f}`+"\n",
		count, count, percentile(fromDue, 0.5), percentile(fromDue, 0.99),
		percentile(fromSent, 0.5), percentile(fromSent, 0.99), percentile(gap, 0.99), cpuSeconds())
	check(publishing.Close())
	check(consuming.Close())
}

func main() {
	log.SetFlags(0)
	a := os.Args[1:]
	switch {
	case len(a) == 5 && a[0] == "publish":
		floodPublish(a[1], a[2], number(a[3]), number(a[4]))
	case len(a) == 4 && a[0] == "consume":
		floodConsume(a[1], a[2], number(a[3]))
	case len(a) == 6 && a[0] == "paced":
		paced(a[1], a[2], number(a[3]), number(a[4]), number(a[5]))
	default:
		log.Fatal("usage: publish URL QUEUE COUNT SIZE | consume URL QUEUE COUNT | paced URL QUEUE RATE SECONDS SIZE")
	}
}
