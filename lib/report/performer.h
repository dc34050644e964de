#ifndef LIB_REPORT_PERFORMER_H
#define LIB_REPORT_PERFORMER_H
/*
 * performer: who or what makes the run, for the history and for the evidence: "host", "user",
 * "tool", "tool_version", "program_sha256", "config_sha256" (which verify-backup passes on in
 * BACKUP_PROBES_CONFIG_SHA256), and where a CI server started it "ci_run" and "commit". What is not
 * known is left out.
 */
#include <jansson.h>

/* The caller's. host: "" where unknown. */
json_t *performer_object(const char *host);
#endif
