#ifndef LIB_REPORT_JUNIT_H
#define LIB_REPORT_JUNIT_H
/*
 * junit: the checks as test cases, for CI servers: the subset of JUnit's XML that the Jenkins xunit
 * plugin's junit-10.xsd allows and that GitLab and GitHub's report actions read. A critical check
 * is a failure (it said no), an unknown one an error (it could not say); a warning passes, with its
 * sentence in the output. No two cases have the same name, for GitLab shows the first of a name.
 */
#include "lib/base/buf.h"
#include "lib/report/summary.h"

void junit_report(const struct summary *s, struct buf *out);
#endif
