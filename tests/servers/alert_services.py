"""What the alert services do with a request, as far as a sender can tell.

Each service is a function answer(request, state) -> Answer; request has method, path, query,
headers, body. The limits, statuses and error strings are those of the services' documentation
(PagerDuty Events API v2, Slack incoming webhooks, Web API and Block Kit, Alertmanager API v2,
healthchecks.io, Cronitor, Uptime Kuma, Better Stack). What a service would take but people would
suffer from (a name that pings a channel, bare "&") is noted in Answer.notes.
"""
import hashlib
import hmac
import json
import re
import time
import uuid
from datetime import datetime
from urllib.parse import parse_qs
from xml.etree import ElementTree


class Answer:
    def __init__(self, status, body="", effect="", accepted=None, notes=(), headers=None):
        self.status = status
        self.body = body if isinstance(body, str) else json.dumps(body)
        self.json = not isinstance(body, str)
        self.effect = effect  # what changed in the service: opened, joined, resolved, ...
        self.accepted = status < 300 if accepted is None else accepted
        self.notes = list(notes)
        self.headers = headers or {}


class State:
    """What the services remember between requests."""

    def __init__(self):
        self.incidents = set()  # PagerDuty: open (routing key, dedup key)
        self.alerts = set()  # Alertmanager: firing label sets
        self.messages = set()  # Slack: (channel, ts)
        self.files = {}  # Slack: id -> {"length", "bytes"}
        self.runs = {}  # dead-man's switches: rid or series seen at the start
        self.webhook_secret = ""


def parse_json(request):
    def once(pairs):
        keys = [k for k, _ in pairs]
        if len(keys) != len(set(keys)):
            raise ValueError("duplicate key")
        return dict(pairs)

    return json.loads(request.body.decode("utf-8"), object_pairs_hook=once)


def is_time(text):
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None
    except (AttributeError, ValueError):
        return False


def is_text(value, least, most):
    return isinstance(value, str) and least <= len(value) <= most


# --- PagerDuty -------------------------------------------------------------------------------

PAGERDUTY_BYTES = 512 * 1024


def pagerduty_problems(event, change):
    errors = []
    if not is_text(event.get("routing_key"), 32, 32):
        errors.append("Length of 'routing_key' is incorrect (should be 32 characters)")
    if event.get("event_action") not in ("trigger", "acknowledge", "resolve") and not change:
        errors.append("'event_action' is invalid (must be one of: trigger, acknowledge, resolve)")
    needs_payload = change or event.get("event_action") == "trigger"
    payload = event.get("payload", {} if needs_payload else None)
    key = event.get("dedup_key")
    if key is not None and not is_text(key, 1, 255):
        errors.append("'dedup_key' is invalid (must be a string of at most 255 characters)")
    if not change and not needs_payload and key is None:
        errors.append("'dedup_key' is missing or blank")
    if needs_payload:
        if not is_text(payload.get("summary"), 1, 1024):
            errors.append("'payload.summary' is missing, blank or longer than 1024 characters")
        if not change and not is_text(payload.get("source"), 1, 1024):
            errors.append("'payload.source' is missing or blank")
        if not change and payload.get("severity") not in ("critical", "error", "warning", "info"):
            errors.append("'payload.severity' is invalid (must be one of: critical, warning, error, info)")
        if "timestamp" in payload and not is_time(payload["timestamp"]):
            errors.append("'payload.timestamp' is not an ISO 8601 time")
        if "custom_details" in payload and not isinstance(payload["custom_details"], dict):
            errors.append("'payload.custom_details' is not an object")
    for link in event.get("links", []):
        if not is_text(link.get("href"), 1, 4096) or not link["href"].startswith(("http://", "https://")):
            errors.append("'links[].href' is missing or no URL")
    return errors


def pagerduty(request, state, change=False):
    def invalid(errors):
        return Answer(400, {"status": "invalid event", "message": "Event object is invalid", "errors": errors})

    if len(request.body) > PAGERDUTY_BYTES:
        return invalid(["Event exceeds the maximum size of 512 KB"])
    try:
        event = parse_json(request)
        errors = pagerduty_problems(event, change)
    except (ValueError, AttributeError, TypeError) as e:
        errors = [f"JSON: {e}"]
    if errors:
        return invalid(errors)
    if change:
        return Answer(202, {"status": "success", "message": "Change event processed"}, "change")
    dedup = event.get("dedup_key") or uuid.uuid4().hex
    key = (event["routing_key"], dedup)
    if event["event_action"] == "trigger":
        effect = "joined" if key in state.incidents else "opened"
        state.incidents.add(key)
    elif key in state.incidents:
        effect = "resolved" if event["event_action"] == "resolve" else "acknowledged"
        if effect == "resolved":
            state.incidents.discard(key)
    else:
        effect = "dropped"  # silently, as documented
    return Answer(202, {"status": "success", "message": "Event processed", "dedup_key": dedup}, effect)


def pagerduty_change(request, state):
    return pagerduty(request, state, change=True)


# --- Slack -----------------------------------------------------------------------------------

SLACK_BLOCKS_SUM = 13000  # not documented; measured between 9,600 and 13,200 characters
SLACK_STATUS = {  # incoming webhooks; strings not here are 400
    "action_prohibited": 403, "invalid_token": 403, "team_disabled": 403,
    "channel_not_found": 404, "no_service": 404, "no_active_hooks": 404, "no_team": 404,
    "no_service_id": 404, "channel_is_archived": 410, "rollup_error": 500,
}
MARKUP = re.compile(r"<(https?://[^|<>\s]+(\|[^|<>]+)?|!date\^[0-9]+\^[^|<>]+\|[^|<>]+)>")
PING = re.compile(r"<(!(channel|here|everyone|subteam)|@[UW]|#C)|(^|\s)@(channel|here|everyone)\b")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def slack_notes(text):
    notes = []
    if PING.search(text):
        notes.append("pings people")
    rest = MARKUP.sub("", text)
    if re.search(r"[<>]", rest):
        notes.append("unescaped < or >")
    if re.search(r"&(?!amp;|lt;|gt;)", text):
        notes.append("unescaped &")
    if CONTROL.search(text):
        notes.append("control or direction characters")
    return notes


def text_problem(where, obj, kinds, most, texts):
    if not isinstance(obj, dict) or obj.get("type") not in kinds:
        return f"must be one of {kinds} [json-pointer:{where}/type]"
    if not is_text(obj.get("text"), 1, most):
        return f"must be between 1 and {most} characters [json-pointer:{where}/text]"
    texts.append((obj["type"], obj["text"]))
    return None


def block_problems(blocks):
    """The errors of Block Kit, and all texts in it as (type, text)."""
    errors, texts = [], []
    if not isinstance(blocks, list) or not blocks:
        return ["no items or no array [json-pointer:/blocks]"], texts
    if len(blocks) > 50:
        errors.append("no more than 50 items allowed [json-pointer:/blocks]")
    any_text = ("plain_text", "mrkdwn")
    for i, block in enumerate(blocks):
        at = f"/blocks/{i}"
        kind = block.get("type") if isinstance(block, dict) else None
        found = []
        if kind == "header":
            found.append(text_problem(at + "/text", block.get("text"), ("plain_text",), 150, texts))
        elif kind == "section":
            fields = block.get("fields", [])
            if "text" in block:
                found.append(text_problem(at + "/text", block["text"], any_text, 3000, texts))
            if ("text" not in block and not fields) or len(fields) > 10:
                found.append(f"text or 1 to 10 fields [json-pointer:{at}]")
            for j, field in enumerate(fields):
                found.append(text_problem(f"{at}/fields/{j}", field, any_text, 2000, texts))
        elif kind == "context":
            elements = block.get("elements") or []
            if not 1 <= len(elements) <= 10:
                found.append(f"1 to 10 items [json-pointer:{at}/elements]")
            for j, element in enumerate(elements):
                found.append(text_problem(f"{at}/elements/{j}", element, any_text, 2000, texts))
        elif kind == "actions":
            for j, element in enumerate(block.get("elements") or [None]):
                element = element or {}
                found.append(text_problem(f"{at}/elements/{j}/text", element.get("text"), ("plain_text",), 75, texts))
                if "url" in element and not is_text(element["url"], 1, 3000):
                    found.append(f"must be at most 3000 characters [json-pointer:{at}/elements/{j}/url]")
        elif kind != "divider":
            found.append(f"unsupported type: {kind} [json-pointer:{at}/type]")
        errors += [f for f in found if f]
    return errors, texts


def slack_message(message):
    """(error string or None, details, notes)"""
    texts = []
    for group in [message] + list(message.get("attachments") or []):
        if "blocks" in group:
            errors, found = block_problems(group["blocks"])
            texts += found
            if errors:
                return "invalid_blocks", errors, []
    if sum(len(t) for _, t in texts) > SLACK_BLOCKS_SUM:
        return "msg_blocks_too_long", [], []
    if len(message.get("attachments") or []) > 100:
        return "too_many_attachments", [], []
    text = message.get("text")
    if text is not None and not isinstance(text, str):
        return "invalid_payload", [], []
    if not text and not texts:
        return "no_text", [], []
    notes = [] if text else ["no fallback text"]
    if text and len(text) > 4000:
        notes.append("text is split or cut")
    for kind, one in [("mrkdwn", text or "")] + texts:
        notes += slack_notes(one) if kind == "mrkdwn" else ["control or direction characters"] if CONTROL.search(one) else []
    return None, [], sorted(set(notes))


def slack_webhook(request, state):
    def refuse(error):
        return Answer(SLACK_STATUS.get(error, 400), error)

    if not re.fullmatch(r"/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{8,}", request.path):
        return refuse("no_service")
    try:
        message = parse_json(request)
        error, _, notes = slack_message(message)
    except (ValueError, AttributeError, TypeError):
        return refuse("invalid_payload")
    return refuse(error) if error else Answer(200, "ok", "posted", notes=notes)


def slack_arguments(request):
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        return {k: v[-1] for k, v in parse_qs(request.body.decode(), strict_parsing=True).items()}, False
    return (parse_json(request) if kind.startswith("application/json") else {}), True


def slack_refuse(error, **more):
    return Answer(200, {"ok": False, "error": error, **more}, accepted=False)


def slack_post(request, state, arguments, _):
    error, details, notes = slack_message(arguments)
    channel = arguments.get("channel") or ""
    if not re.fullmatch(r"[CGD][A-Z0-9]{5,}|#?[a-z0-9_-]{1,80}", channel):
        return slack_refuse("channel_not_found")
    thread = arguments.get("thread_ts")
    if thread and (channel, thread) not in state.messages:
        return slack_refuse("thread_not_found")
    if error:
        return slack_refuse(error, errors=details, response_metadata={"messages": [f"[ERROR] {d}" for d in details]})
    # As Slack does, a channel given by its name is answered with its id.
    ident = channel if re.fullmatch(r"[CGD][A-Z0-9]{5,}", channel) else "C" + hashlib.sha1(channel.encode()).hexdigest()[:9].upper()
    ts = "%d.%06d" % (time.time(), len(state.messages) + 100)
    state.messages |= {(channel, ts), (ident, ts)}
    return Answer(200, {"ok": True, "channel": ident, "ts": ts}, "reply" if thread else "posted", notes=notes)


def slack_upload_url(request, state, arguments, is_json):
    if is_json or not arguments.get("filename") or not re.fullmatch(r"[1-9][0-9]*", arguments.get("length", "")):
        return slack_refuse("invalid_arguments")
    ident = "F%09d" % (len(state.files) + 1)
    state.files[ident] = {"length": int(arguments["length"]), "bytes": None}
    return Answer(200, {"ok": True, "upload_url": f"{request.base}/upload/v1/{ident}", "file_id": ident}, "upload-url")


def slack_upload_complete(request, state, arguments, _):
    files = arguments.get("files")
    files = json.loads(files) if isinstance(files, str) else files
    if not files or any(state.files.get(f.get("id"), {}).get("bytes") is None for f in files):
        return slack_refuse("file_not_found")
    channel, thread = arguments.get("channel_id"), arguments.get("thread_ts")
    if not channel:
        return Answer(200, {"ok": True, "files": files}, "private-file", notes=["no channel: nobody sees it"])
    if not re.fullmatch(r"[CGD][A-Z0-9]{5,}", channel):
        return slack_refuse("invalid_channel")
    if thread and (channel, thread) not in state.messages:
        return slack_refuse("thread_not_found")
    return Answer(200, {"ok": True, "files": files}, "file-in-thread" if thread else "file")


SLACK_METHODS = {
    "chat.postMessage": slack_post,
    "files.getUploadURLExternal": slack_upload_url,
    "files.completeUploadExternal": slack_upload_complete,
}


def slack_api(request, state):
    token = request.headers.get("authorization", "")
    if not token:
        return slack_refuse("not_authed")
    if not re.fullmatch(r"Bearer xoxb-[A-Za-z0-9-]{10,}", token):
        return slack_refuse("invalid_auth")
    method = SLACK_METHODS.get(request.path.rsplit("/", 1)[1])
    if not method or request.method != "POST":
        return slack_refuse("unknown_method")
    try:
        arguments, is_json = slack_arguments(request)
        return method(request, state, arguments, is_json)
    except (ValueError, AttributeError, TypeError):
        return slack_refuse("invalid_arguments")


def slack_upload(request, state):
    file = state.files.get(request.path.rsplit("/", 1)[1])
    if not file or file["bytes"] is not None:
        return Answer(404, "not found")
    if len(request.body) != file["length"]:
        return Answer(400, "length differs from what was announced")
    file["bytes"] = request.body
    return Answer(200, f"OK - {len(request.body)}", "uploaded")


# --- a webhook of one's own ------------------------------------------------------------------


def webhook(request, state):
    """Signature: "t=UNIX,v1=HEX", HMAC-SHA256 of "UNIX.BODY"; older than 5 minutes is refused."""
    notes = []
    given = request.headers.get("x-backup-probes-signature", "")
    if state.webhook_secret:
        m = re.fullmatch(r"t=([0-9]+),v1=([0-9a-f]{64})", given)
        if not m:
            return Answer(401, {"error": "no signature"})
        want = hmac.new(state.webhook_secret.encode(), m[1].encode() + b"." + request.body, hashlib.sha256)
        if not hmac.compare_digest(want.hexdigest(), m[2]):
            return Answer(401, {"error": "wrong signature"})
        if abs(time.time() - int(m[1])) > 300:
            return Answer(401, {"error": "signature is too old"})
        notes.append("signed")
    try:
        if not isinstance(parse_json(request), dict):
            return Answer(422, {"error": "no object"})
    except ValueError as e:
        return Answer(400, {"error": str(e)})
    return Answer(200, {"received": True}, "received", notes=notes)


# --- Alertmanager ----------------------------------------------------------------------------


def alertmanager_problem(alert):
    labels = alert.get("labels")
    if not isinstance(labels, dict) or not any(labels.values()):
        return "at least one label pair required"
    for group in (labels, alert.get("annotations", {})):
        for name, value in group.items():
            if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) or not isinstance(value, str):
                return f"invalid label or annotation {name!r}"
    for field in ("startsAt", "endsAt"):
        if field in alert and not is_time(alert[field]):
            return f"{field}: not a date-time"
    if "startsAt" in alert and "endsAt" in alert:
        if datetime.fromisoformat(alert["endsAt"].replace("Z", "+00:00")) < datetime.fromisoformat(
            alert["startsAt"].replace("Z", "+00:00")
        ):
            return "start time must be before end time"
    return None


def alertmanager(request, state):
    try:
        alerts = parse_json(request)
        if not isinstance(alerts, list):
            raise ValueError("cannot unmarshal into an array of alerts")
        problem = next(filter(None, map(alertmanager_problem, alerts)), None)
    except (ValueError, AttributeError, TypeError) as e:
        problem = str(e)
    if problem:
        answer = Answer(400, json.dumps(problem))
        answer.json = True
        return answer
    effects = []
    for alert in alerts:
        key = tuple(sorted(alert["labels"].items()))
        ends = alert.get("endsAt")
        over = ends and datetime.fromisoformat(ends.replace("Z", "+00:00")).timestamp() <= time.time() + 1
        if over:
            effects.append("resolved" if key in state.alerts else "dropped")
            state.alerts.discard(key)
        else:
            effects.append("joined" if key in state.alerts else "fired")
            state.alerts.add(key)
    return Answer(200, "", " ".join(effects))


# --- dead-man's switches ---------------------------------------------------------------------

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
PING_BODY_LIMIT = 10000  # what a self-hosted healthchecks keeps


def healthchecks(request, state):
    m = re.fullmatch(rf"(?:/ping)?/({UUID}|[A-Za-z0-9_-]{{22}}/[a-z0-9_-]+)(?:/(start|fail|log|[0-9]+))?", request.path)
    if not m:
        return Answer(400, "invalid url format")
    event = m[2] or "success"
    rid = request.query.get("rid")
    if rid is not None and not re.fullmatch(UUID, rid):
        return Answer(400, "invalid uuid format")
    if event.isdigit():
        if int(event) > 255:
            return Answer(400, "invalid url format")
        event = "success" if int(event) == 0 else "fail"
    if m[1].endswith("/ambiguous"):
        return Answer(409, "ambiguous slug")
    if m[1].startswith("00000000-"):
        return Answer(404, "not found")
    notes = []
    if len(request.body) > PING_BODY_LIMIT:
        notes.append("body is cut")
    try:
        request.body[:PING_BODY_LIMIT].decode()
    except UnicodeDecodeError as e:
        if e.end < PING_BODY_LIMIT - 4:
            notes.append("body is no UTF-8")
    if event == "start":
        state.runs[m[1]] = rid
    elif state.runs.pop(m[1], rid) != rid:
        notes.append("another run was started")
    return Answer(200, "OK", event, notes=notes, headers={"Ping-Body-Limit": str(PING_BODY_LIMIT)})


def cronitor(request, state):
    state_name = request.query.get("state")
    if state_name not in ("run", "complete", "fail", "ok"):
        return Answer(400, "invalid state")
    if len(request.query.get("message", "")) > 2000:
        return Answer(400, "message is too long")
    for metric in request.lists.get("metric", []):
        if not re.fullmatch(r"[a-z0-9_-]{1,63}:-?[0-9]+(\.[0-9]+)?", metric):
            return Answer(400, f"invalid metric {metric}")
    notes = []
    series = request.query.get("series")
    if state_name == "run":
        state.runs[request.path] = series
    elif state.runs.pop(request.path, series) != series:
        notes.append("another run was started")
    return Answer(200, "OK", state_name, notes=notes)


def kuma(request, state):
    ping = request.query.get("ping")
    if request.path.endswith("/unknown"):
        return Answer(500, {"ok": False, "msg": "Monitor not found or not active."})
    if ping and not (re.fullmatch(r"[0-9]+(\.[0-9]+)?", ping) and float(ping) <= 86400000):
        return Answer(400, {"ok": False, "msg": "Invalid ping value."})
    notes = ["only the query is read"] if request.body else []
    return Answer(200, {"ok": True}, "up" if request.query.get("status", "up") == "up" else "down", notes=notes)


def better_stack(request, state):
    m = re.fullmatch(r"/api/v1/heartbeat/[A-Za-z0-9]+(?:/(fail|[0-9]+))?", request.path)
    if not m:
        return Answer(404, "")
    return Answer(200, "", "success" if m[1] in (None, "0") else "fail")


# --- monitoring servers that are told passive results ------------------------------------------


def nrdp(request, state):
    form = {k: v[0] for k, v in parse_qs(request.body.decode("utf-8"), strict_parsing=True).items()}

    def says(status, message):
        return Answer(200, f"<?xml version='1.0'?><result><status>{status}</status><message>{message}</message></result>",
                      "taken" if status == 0 else "refused", accepted=status == 0)

    if form.get("token") != "sesame" or form.get("cmd") != "submitcheck":
        return says(-1, "BAD TOKEN")
    if "JSONDATA" in form:
        result = json.loads(form["JSONDATA"])["checkresults"][0]
        state_text, output = result["state"], result["output"]
    else:
        result = ElementTree.fromstring(form["XMLDATA"]).find("checkresult")
        state_text, output = result.findtext("state"), result.findtext("output")
    if state_text not in ("0", "1", "2", "3") or not output:
        return says(-2, "BAD XML")
    return says(0, "OK")


def icinga2(request, state):
    if request.headers.get("authorization") != "Basic cHJvYmU6c2VzYW1l":  # probe:sesame
        return Answer(401, "unauthorized")
    if request.headers.get("accept") != "application/json":
        return Answer(400, "Accept header is missing or not set to 'application/json'.")
    body = parse_json(request)
    if not isinstance(body.get("exit_status"), int) or not body.get("plugin_output"):
        return Answer(400, {"error": 400, "status": "Parameter 'exit_status' is required"})
    wanted = body.get("filter_vars", {})
    if wanted.get("wanted_host") != "db1":
        return Answer(500, {"results": []})  # so 2.13 says that nothing matches
    return Answer(200, {"results": [{"code": 200.0, "status": "Successfully processed check result."}]}, "taken")


SERVICES = [  # (pattern of the path, name, function), first match
    (r"/v2/enqueue", "pagerduty", pagerduty),
    (r"/v2/change/enqueue", "pagerduty-change", pagerduty_change),
    (r"/services/.*", "slack-webhook", slack_webhook),
    (r"/api/(chat|files)\.[A-Za-z]+", "slack-api", slack_api),
    (r"/upload/v1/F[0-9]+", "slack-upload", slack_upload),
    (r"/hook(/.*)?", "webhook", webhook),
    (r"/api/v2/alerts", "alertmanager", alertmanager),
    (r"/nrdp/?", "nrdp", nrdp),
    (r"/v1/actions/process-check-result", "icinga2", icinga2),
    (r"/p/[^/]+/[^/]+", "cronitor", cronitor),
    (r"/api/push/[^/]+", "kuma", kuma),
    (r"/api/v1/heartbeat/.*", "better-stack", better_stack),
    (rf"(/ping)?/({UUID}|[A-Za-z0-9_-]{{22}}/).*", "healthchecks", healthchecks),
]
POST_ONLY = {"pagerduty", "pagerduty-change", "slack-webhook", "slack-api", "slack-upload", "webhook", "alertmanager"}


def find(request):
    for pattern, name, function in SERVICES:
        if re.fullmatch(pattern, request.path):
            return name, function
    return "", None


def answer(request, state):
    name, function = find(request)
    if not function:
        return Answer(404, "not found")
    if name in POST_ONLY and request.method != "POST":
        return Answer(405, "method not allowed")
    return function(request, state)


def documented_error(name, error):
    """The answer of the service called name that carries this error string."""
    if name == "slack-api":
        return Answer(200, {"ok": False, "error": error}, accepted=False)
    if name == "slack-webhook":
        return Answer(SLACK_STATUS.get(error, 400), error)
    if name.startswith("pagerduty"):
        return Answer(400, {"status": "invalid event", "message": "Event object is invalid", "errors": [error]})
    return Answer(400, error)


def rate_limited(name):
    if name == "slack-api":
        return Answer(429, {"ok": False, "error": "ratelimited"})
    if name.startswith("pagerduty"):
        return Answer(429, "429 - Request Limit Exceeded")
    return Answer(429, "rate limited")
