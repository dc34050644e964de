#ifndef LIB_REPORT_GITLAB_H
#define LIB_REPORT_GITLAB_H
/*
 * gitlab: the findings as a Code Quality report ("artifacts: reports: codequality"), which GitLab
 * shows in merge requests and pipelines: a list of objects with description, check_name,
 * fingerprint, severity and location. The fingerprint is that of the check's name and subject, so
 * that GitLab sees whether a finding is new, still there, or gone. For GitLab's unit test reports
 * there is junit, for its metrics reports prometheus.
 */
#include "lib/base/buf.h"
#include "lib/report/summary.h"

void gitlab_report(const struct summary *s, struct buf *out);
#endif
