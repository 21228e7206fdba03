/* events_private.h - what the verbs of events share. */
#ifndef APP_EVENTS_PRIVATE_H
#define APP_EVENTS_PRIVATE_H

#include "app/events.h"

events_verb_fn events_record;
events_verb_fn events_replay;

#endif
