/* volumes_codes.h - volumes made of digits: with check digits, of the network, of time, of money.
 */
#ifndef FAKE_VOLUMES_CODES_H
#define FAKE_VOLUMES_CODES_H

#include "fake/volume.h"

volume_fn volumes_codes_ean13, volumes_codes_ean8, volumes_codes_isbn13, volumes_codes_isbn10,
    volumes_codes_iban, volumes_codes_bban, volumes_codes_swift, volumes_codes_card_number,
    volumes_codes_card_provider, volumes_codes_card_expire, volumes_codes_card_security_code;
volume_fn volumes_codes_uuid4, volumes_codes_uuid7, volumes_codes_md5, volumes_codes_sha1,
    volumes_codes_sha256, volumes_codes_hex_color, volumes_codes_password;
volume_fn volumes_codes_ipv4, volumes_codes_ipv6, volumes_codes_mac_address,
    volumes_codes_port_number, volumes_codes_user_agent, volumes_codes_mime_type,
    volumes_codes_http_method, volumes_codes_http_status_code;
volume_fn volumes_codes_boolean, volumes_codes_random_digit, volumes_codes_random_int,
    volumes_codes_random_letter, volumes_codes_price, volumes_codes_pricetag,
    volumes_codes_latitude, volumes_codes_longitude;

#endif
