// A peer of the benchmark: plain use of amqplib, as its documentation advises.
//
//	peer.js publish URL QUEUE COUNT SIZE         with confirms
//	peer.js consume URL QUEUE COUNT              with acks
//	peer.js paced URL QUEUE RATE SECONDS SIZE    both, on two connections: how late a message is
//
// Prints one line of JSON. side_by_side.sh runs it.
'use strict';
const amqp = require('amqplib');

const WINDOW = 1000;
const PREFETCH = 1000;
const ACK_EVERY = 100;
const NS = 1e9;

function die(problem) {
	console.error(problem);
	process.exit(1);
}

async function open(url) {
	const connection = await amqp.connect(url, { noDelay: true });
	connection.on('error', die);
	return connection;
}

// The channel first: the end of a connection overtakes what its channels have not written yet, such
// as the last ack.
async function close(connection, channel) {
	await channel.close();
	await connection.close();
}

// ---- publishing ----

// Keeps to the window and to what the socket takes: sendToQueue returns false when its buffer is
// full, and 'drain' tells when it no longer is. `next` gives the next body, or null for "not now";
// resume() asks again. Finished when `count` messages are confirmed.
async function publisher(connection, queue, count, next) {
	const channel = await connection.createConfirmChannel();
	let sent = 0;
	let confirmed = 0;
	let hasRoom = true;
	let finish;
	const finished = new Promise((resolve) => { finish = resolve; });

	function resume() {
		while (hasRoom && sent < count && sent - confirmed < WINDOW) {
			const body = next(sent);
			if (body === null)
				return;
			sent++;
			hasRoom = channel.sendToQueue(queue, body, { persistent: false }, onConfirm);
		}
	}
	function onConfirm(problem) {
		if (problem)
			die(problem);
		if (++confirmed === count)
			finish();
		else if (confirmed + WINDOW === sent + 1)
			resume();
	}
	channel.on('error', die);
	channel.on('drain', () => { hasRoom = true; resume(); });
	return { channel, resume, finished };
}

// ---- consuming ----

// Resolves once the consumer is there, to a promise of its end.
async function receive(connection, queue, count, each) {
	const channel = await connection.createChannel();
	let received = 0;
	let finish;
	const finished = new Promise((resolve) => { finish = resolve; });
	channel.on('error', die);
	await channel.prefetch(PREFETCH);
	await channel.consume(queue, (message) => {
		if (message === null)
			die('the consumer was cancelled');
		each(received++, message.content);
		if (received % ACK_EVERY === 0 || received === count)
			channel.ack(message, true);
		if (received === count)
			finish();
	});
	return { channel, finished };
}

// ---- the jobs ----

function wall() {
	return (performance.timeOrigin + performance.now()) / 1000;
}

function report(job, count, began) {
	console.log(JSON.stringify({ client: 'node', job, count, began, ended: wall() }));
}

async function floodPublish(url, queue, count, size) {
	const connection = await open(url);
	const body = Buffer.alloc(size, 'x');
	const { channel, resume, finished } = await publisher(connection, queue, count, () => body);
	const began = wall();
	resume();
	await finished;
	report('publish', count, began);
	await close(connection, channel);
}

async function floodConsume(url, queue, count) {
	const connection = await open(url);
	const began = wall();
	const { channel, finished } = await receive(connection, queue, count, () => {});
	await finished;
	report('consume', count, began);
	await close(connection, channel);
}

function nanoseconds() {
	return Number(process.hrtime.bigint());
}

// The smallest sample that this share of them does not exceed, in microseconds.
function percentile(samples, share) {
	return Math.round(samples[Math.ceil(share * samples.length) - 1] / 100) / 10;
}

async function paced(url, queue, rate, seconds, size) {
	const count = rate * seconds;
	const fromDue = new Float64Array(count);
	const fromSent = new Float64Array(count);
	const gap = new Float64Array(count);

	const consuming = await open(url);
	const consumer = await receive(consuming, queue, count, (n, body) => {
		const now = nanoseconds();
		const due = Number(body.readBigUInt64BE(0));
		const sent = Number(body.readBigUInt64BE(8));
		fromDue[n] = now - due;
		fromSent[n] = now - sent;
		gap[n] = sent - due;
	});

	let start;
	function next(n) {
		const due = start + Math.floor(n * NS / rate);
		const now = nanoseconds();
		if (now < due) {
			setTimeout(resume, (due - now) / 1e6);
			return null;
		}
		const body = Buffer.alloc(size, 'x');
		body.writeBigUInt64BE(BigInt(due), 0);
		body.writeBigUInt64BE(BigInt(now), 8);
		return body;
	}
	const publishing = await open(url);
	const { channel, resume, finished } = await publisher(publishing, queue, count, next);
	start = nanoseconds();
	resume();
	await finished;
	await consumer.finished;

	for (const samples of [fromDue, fromSent, gap])
		samples.sort();
	const cpu = process.cpuUsage();
	console.log(JSON.stringify({
		client: 'node', sent: count, received: count,
		p50_due_us: percentile(fromDue, 0.5), p99_due_us: percentile(fromDue, 0.99),
		p50_sent_us: percentile(fromSent, 0.5), p99_sent_us: percentile(fromSent, 0.99),
		p99_gap_us: percentile(gap, 0.99), cpu_seconds: (cpu.user + cpu.system) / 1e6,
	}));
	await close(publishing, channel);
	await close(consuming, consumer.channel);
}

const jobs = { publish: [floodPublish, 4], consume: [floodConsume, 3], paced: [paced, 5] };
const [name, url, queue, ...numbers] = process.argv.slice(2);
const [job, parameters] = jobs[name] || [];
if (numbers.length + 2 !== parameters)
	die('usage: publish URL QUEUE COUNT SIZE | consume URL QUEUE COUNT | paced URL QUEUE RATE SECONDS SIZE');
job(url, queue, ...numbers.map(Number)).catch(die);
