#ifndef LIB_BASE_BACKWARD_H
#define LIB_BASE_BACKWARD_H
/*
 * backward: a file read line by line from its end. Start from { .fd, .at = its size, .most = the
 * longest line that is wanted }.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The bytes [from, to) of buf are those of the file from `at` on; a line is complete when its first
 * byte is known to follow a newline. */
struct backward {
	int fd;
	off_t at; /* where in the file buf[from] stands */
	size_t most;
	char *buf;
	size_t cap, from, to;
	bool skipping; /* inside a line that is too long */
};

/* The line before: 1 with *line (borrowed, until the next call) and its length, 0 at the start of
 * the file, -1 with errno. A line over the limit comes as NULL. */
int backward_line(struct backward *b, const char **line, size_t *len);

/* Where in the file the line that was just given starts. */
off_t backward_offset(const struct backward *b, const char *line);

void backward_free(struct backward *b);
#endif
