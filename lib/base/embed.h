/* embed.h - a file of the repository as a text inside the program. */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

/* Defines `extern const char symbol[]` with the bytes of the file and a closing NUL. The path is
 * seen from the root of the repository, where the compiler runs; the Makefile knows which objects
 * depend on which files. */
#define EMBED_TEXT(symbol, path) EMBED_TEXT_NAMED(symbol, #symbol, path)
/* NOLINTBEGIN(bugprone-macro-parentheses): pieces of one literal cannot have parentheses */
#define EMBED_TEXT_NAMED(symbol, name, path)    \
	__asm__(".section .rodata\n"            \
		".global " name "\n"            \
		".hidden " name "\n" name ":\n" \
		".incbin \"" path "\"\n"        \
		".byte 0\n"                     \
		".previous\n");                 \
	extern const char symbol[] __attribute__((visibility("hidden")))
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
