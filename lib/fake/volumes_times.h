/* volumes_times.h - volumes of the calendar. Only now follows the clock: the others fall in fixed
 * years (2020 to 2025, births 1940 to 2006), so that a seed gives the same dates tomorrow. */
#ifndef FAKE_VOLUMES_TIMES_H
#define FAKE_VOLUMES_TIMES_H

#include "fake/volume.h"

volume_fn volumes_times_now, volumes_times_date, volumes_times_time, volumes_times_date_time,
    volumes_times_unix_time, volumes_times_date_of_birth, volumes_times_year, volumes_times_month,
    volumes_times_month_name, volumes_times_day_of_week;

#endif
