#include "lib/base/runid.h"

#include "lib/base/utc.h"

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* 80 bits: of the kernel; where it gives none, of what tells two processes apart. */
static void fill_random(unsigned char bits[10])
{
	int64_t clock = mono_ms();
	pid_t pid = getpid();

	if (getrandom(bits, 10, GRND_NONBLOCK) == 10)
		return;
	memset(bits, 0, 10);
	memcpy(bits, &pid, sizeof(pid));
	memcpy(bits + 4, &clock, 6);
}

const char *runid_make(int64_t now_ms, char out[RUN_ID_SIZE])
{
	unsigned char bits[10];
	uint64_t time = (uint64_t)now_ms;

	fill_random(bits);
	for (int i = 9; i >= 0; i--, time >>= 5)
		out[i] = alphabet[time & 31];
	/* 5 bytes are 8 digits, twice. */
	for (int half = 0; half < 2; half++) {
		uint64_t v = 0;

		for (int i = 0; i < 5; i++)
			v = v << 8 | bits[half * 5 + i];
		for (int i = 7; i >= 0; i--, v >>= 5)
			out[10 + half * 8 + i] = alphabet[v & 31];
	}
	out[26] = '\0';
	return out;
}
