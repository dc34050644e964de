#include "lib/report/performer.h"

#include "lib/base/buf.h"
#include "lib/base/io.h"
#include "lib/base/record.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE_MAX = 4096, CHUNK = 64 * 1024, HEX_SIZE = 65, DIGEST_SIZE = 32 };

/* SHA-256 of the program that runs; NULL when it cannot be read. */
static json_t *own_digest(void)
{
	FD_AUTO fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	unsigned char digest[EVP_MAX_MD_SIZE], chunk[CHUNK];
	EVP_MD_CTX *sum = EVP_MD_CTX_new();
	bool good = sum && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1;
	char hex[HEX_SIZE];
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0) {
		n = io_read_full(fd, chunk, sizeof(chunk));
		if (n > 0)
			good = EVP_DigestUpdate(sum, chunk, (size_t)n) == 1 && good;
	}
	good = good && n == 0 && EVP_DigestFinal_ex(sum, digest, NULL) == 1;
	EVP_MD_CTX_free(sum);
	for (size_t i = 0; good && i < DIGEST_SIZE; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return good ? json_string(hex) : json_null();
}

/* Where a CI server started it. */
static void set_ci(json_t *o)
{
	const char *server = getenv("GITHUB_SERVER_URL"), *repository = getenv("GITHUB_REPOSITORY");
	const char *id = getenv("GITHUB_RUN_ID");
	BUF_AUTO url = BUF_INIT(PIECE_MAX);

	if (server && repository && id)
		buf_addf(&url, "%s/%s/actions/runs/%s", server, repository, id);
	record_set_text(o, "ci_run", url.len ? url.s : getenv("CI_JOB_URL"));
	record_set_text(o, "commit",
			getenv("GITHUB_SHA") ? getenv("GITHUB_SHA") : getenv("CI_COMMIT_SHA"));
}

json_t *performer_object(const char *host)
{
	json_t *o = json_object();
	const struct passwd *who = getpwuid(getuid());

	record_set_text(o, "host", host);
	record_set_text(o, "user", who ? who->pw_name : NULL);
	record_set_text(o, "tool", "backup-probes");
	record_set_text(o, "tool_version", VERSION);
	json_object_set_new(o, "program_sha256", own_digest());
	record_set_text(o, "config_sha256", getenv("BACKUP_PROBES_CONFIG_SHA256"));
	set_ci(o);
	return o;
}
