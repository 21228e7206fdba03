/* version.h - the version of the suite. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define WARREN_VERSION "0.1.0"

#endif
