# What turns a run in which all was well into one with a finding of every kind.
/"tool":"compare-counts".*"end"/d
s/"status":"ok","summary":"8,412,056 (production: 8,412,103) - 47 newer than the recovery point","observed":8412056/"status":"critical","summary":"8,324,112 (production: 8,412,103) - 87,944 rows are missing, 47 are newer than the recovery point","observed":8324112/
s/"status":"ok","summary":"18.2 GB, +0.4 % against the median of 14"/"status":"warning","summary":"18.2 GB, +45 % | against the `median` of 14 <b>"/
s/public\.users/public.us|er`s/
s/"event":"end","status":"ok","seconds":2.6/"event":"end","status":"unknown","seconds":2.6/
$ a\
garbage
