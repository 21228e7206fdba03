/* volumes_people.h - volumes of people: their names, addresses, companies and ways to reach them.
 */
#ifndef FAKE_VOLUMES_PEOPLE_H
#define FAKE_VOLUMES_PEOPLE_H

#include "fake/volume.h"

volume_fn volumes_people_prefix, volumes_people_first_name, volumes_people_last_name,
    volumes_people_name, volumes_people_user_name, volumes_people_email,
    volumes_people_company_email, volumes_people_phone_number, volumes_people_job,
    volumes_people_company, volumes_people_company_suffix, volumes_people_building_number,
    volumes_people_street_name, volumes_people_street_suffix, volumes_people_street_address,
    volumes_people_address, volumes_people_city, volumes_people_postcode, volumes_people_state,
    volumes_people_state_abbr, volumes_people_country, volumes_people_country_code,
    volumes_people_product, volumes_people_color_name, volumes_people_license_plate,
    volumes_people_timezone, volumes_people_locale, volumes_people_language_name,
    volumes_people_language_code, volumes_people_currency_name, volumes_people_currency_code;

#endif
