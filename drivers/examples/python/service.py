#!/usr/bin/env python3
"""A workshop's office as a small REST service on a SQLite file, with rules of its own. For the example driver and its tests.

    python3 service.py --file workshop.db --port 8085 --token secret

/clients, /parts, /jobs: POST makes, GET pages (?after=&limit=) or finds (?ref=); /clients/7: GET, PATCH, DELETE.
/changes?after=&limit= tells what has changed, /status who it is, /types what its documents hold. Bodies are JSON; numbers keep their decimals.
Clients and jobs are changed and deleted on condition of their version only (If-Match); parts have no versions.
"""

import argparse
import datetime
import decimal
import http.server
import re
import sqlite3
import threading
import time
import urllib.parse
import uuid

from multipoint_driver import dumps, loads

VERSION = "1.0"
TERMS = ["30D", "60D", "PREPAID"]
STEPS = {"open": ["started", "cancelled"], "started": ["done"], "done": [], "cancelled": []}


class Refused(Exception):
    """A request that is not carried out; nothing has been changed."""

    def __init__(self, status, rule, text, field=None):
        super().__init__(text)
        self.status, self.rule, self.field = status, rule, field


def invalid(field, text):
    return Refused(422, "invalid-field", f"{field}: {text}", field)


def says(check, kind, native=None, codes=None):
    """The check, with what /types tells of a member that it is for."""
    check.says = {"kind": kind, "nativeKind": native or kind, "codes": codes}
    return check


def a_text(most=5000):
    def check(name, value):
        if not isinstance(value, str) or len(value) > most or "\0" in value:
            raise invalid(name, f"needs a text of at most {most} characters, without NUL")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise invalid(name, "is not Unicode") from None
        return value

    return says(check, "text")


def a_code(name, value):
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", value):
        raise invalid(name, "needs 1 to 40 letters, digits, dots, dashes")
    return value


says(a_code, "text")


def a_number(scale, least=0, most=10 ** 12):
    def check(name, value):
        if isinstance(value, bool) or not isinstance(value, (int, decimal.Decimal)):
            raise invalid(name, "needs a number")
        value = decimal.Decimal(value)
        with decimal.localcontext() as context:
            context.prec = 60
            try:
                exact = value.quantize(decimal.Decimal(1).scaleb(-scale))
            except decimal.InvalidOperation:
                raise invalid(name, "is too long") from None
        if exact != value or not least <= value <= most:
            raise invalid(name, f"needs a number from {least} with at most {scale} decimals")
        return exact

    return says(check, "number", f"decimal(18,{scale})")


def a_flag(name, value):
    if not isinstance(value, bool):
        raise invalid(name, "needs true or false")
    return value


says(a_flag, "boolean")


def a_date(name, value):
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            raise ValueError
        datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise invalid(name, "needs a date such as 2026-02-28") from None
    return value


says(a_date, "date")


def one_of(words):
    def check(name, value):
        if value not in words:
            raise invalid(name, f"needs one of {', '.join(words)}")
        return value

    return says(check, "code", codes=words)


TYPES = {
    "clients": {
        "name": a_text(), "code": a_code, "vat": a_text(), "email": a_text(), "phone": a_text(), "street": a_text(),
        "zip": a_text(), "city": a_text(), "country": a_text(), "credit": a_number(2), "blocked": a_flag,
        "terms": one_of(TERMS), "since": a_date, "note": a_text(2_000_000),
    },
    "parts": {
        "code": a_code, "name": a_text(), "price": a_number(2), "currency": a_text(3), "unit": a_text(), "saleable": a_flag,
        "note": a_text(2_000_000),
    },
    "jobs": {
        "client": a_text(), "client_note": a_text(), "ordered": a_date, "status": one_of(list(STEPS)), "lines": None,
        "number": None, "total": None,
    },
}
NEEDED = {"clients": ["name"], "parts": ["code", "name"], "jobs": ["client", "lines"]}
LINE = {"no": a_text(), "part": a_text(), "quantity": a_number(3), "price": a_number(4)}
#: What the service itself sets.
OWN = {"jobs": {"lines": {"kind": "list"}, "number": {"kind": "text", "readOnly": True},
                "total": {"kind": "number", "nativeKind": "decimal(18,2)", "readOnly": True}}}
TOKENS = {"clients", "jobs"}
UNIQUE_REFERENCES = {"clients", "parts"}


def types():
    """The members of every kind of document; those of a job's lines with their list's name before them."""
    told = {}
    for kind, members in TYPES.items():
        fields = [{"path": name, "required": name in NEEDED[kind], **(check.says if check else OWN[kind][name])}
                  for name, check in members.items()]
        if "lines" in members:
            fields += [{"path": f"lines.{name}", "required": name in ("part", "quantity"), **check.says} for name, check in LINE.items()]
        told[kind] = fields
    return told


class Workshop:
    """The documents and their rules; every change is one transaction with its entry in the change log."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.executescript(
            """
            CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT);
            CREATE TABLE IF NOT EXISTS document (
                id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT, version INTEGER, seq INTEGER, ref TEXT, deleted INTEGER, body TEXT);
            CREATE INDEX IF NOT EXISTS document_ref ON document (type, ref);
            CREATE TABLE IF NOT EXISTS change (
                seq INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT, id INTEGER, version INTEGER, ref TEXT, time INTEGER,
                deleted INTEGER, body TEXT);
            """)
        self.db.execute("INSERT OR IGNORE INTO setting VALUES ('instance', ?)", (str(uuid.uuid4()),))

    def transaction(self, work, *arguments):
        with self.lock:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                result = work(*arguments)
                self.db.execute("COMMIT")
                return result
            except BaseException:
                self.db.execute("ROLLBACK")
                raise

    # Reading

    def status(self):
        row = self.db.execute("SELECT value FROM setting WHERE name = 'instance'").fetchone()
        return {"instance": row["value"], "version": VERSION}

    def shown(self, row):
        return {
            "id": str(row["id"]), "version": row["version"], "seq": row["seq"], "ref": row["ref"], "deleted": bool(row["deleted"]),
            "body": loads(row["body"]),
        }

    def row(self, kind, key):
        number = int(key) if key.isdigit() and len(key) < 18 else -1
        return self.db.execute("SELECT * FROM document WHERE type = ? AND id = ?", (kind, number)).fetchone()

    def present(self, kind, key):
        row = self.row(kind, key)
        if row is None or row["deleted"]:
            raise Refused(404, "not-found", f"there is nothing at /{kind}/{key}")
        return row

    def found(self, kind, ref):
        rows = self.db.execute("SELECT * FROM document WHERE type = ? AND ref = ? ORDER BY id", (kind, ref)).fetchall()
        return [self.shown(row) for row in rows]

    def page(self, kind, after, limit):
        rows = self.db.execute(
            "SELECT * FROM document WHERE type = ? AND id > ? AND NOT deleted ORDER BY id LIMIT ?", (kind, after, limit)).fetchall()
        return [self.shown(row) for row in rows]

    def changes(self, after, limit):
        rows = self.db.execute("SELECT * FROM change WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)).fetchall()
        return [{**self.shown(row), "type": row["type"], "time": row["time"]} for row in rows]

    # Changing

    def create(self, kind, body, ref):
        if ref and kind in UNIQUE_REFERENCES:
            known = self.found(kind, ref)
            if known:
                return known[-1], False
        body = self.admitted(kind, None, body)
        row = self.db.execute(
            "INSERT INTO document (type, version, seq, ref, deleted, body) VALUES (?, 0, 0, ?, 0, '')", (kind, ref)).lastrowid
        if kind == "jobs":
            body["number"] = f"J-{row:06}"
        return self.keep(kind, row, body, ref, 0), True

    def update(self, kind, key, changes, match):
        row = self.present(kind, key)
        self.check_version(kind, row, match)
        before = loads(row["body"])
        after = self.admitted(kind, key, {**before, **changes}, before)
        if after == before and {k: str(v) for k, v in after.items()} == {k: str(v) for k, v in before.items()}:
            return self.shown(row), False
        return self.keep(kind, row["id"], after, row["ref"], row["version"]), True

    def delete(self, kind, key, match):
        row = self.present(kind, key)
        self.check_version(kind, row, match)
        if kind == "parts":
            raise Refused(405, "no-deletion", "parts are never deleted")
        body = loads(row["body"])
        if kind == "clients":
            jobs = self.db.execute(
                "SELECT 1 FROM document WHERE type = 'jobs' AND NOT deleted AND body ->> 'client' = ?", (key,)).fetchone()
            if jobs:
                raise Refused(409, "in-use", "the client has jobs")
        if kind == "jobs" and body["status"] not in ("open", "cancelled"):
            raise Refused(409, "started", "a job that was started is never deleted")
        return self.keep(kind, row["id"], body, row["ref"], row["version"], deleted=True)

    def check_version(self, kind, row, match):
        if kind not in TOKENS:
            return
        if match is None:
            raise Refused(428, "missing-token", "say with If-Match which version this is meant for")
        if match.strip('"') != str(row["version"]):
            raise Refused(412, "changed", f"it is in version {row['version']} now")

    def keep(self, kind, number, body, ref, version, deleted=False):
        text = dumps(body)
        seq = self.db.execute(
            "INSERT INTO change (type, id, version, ref, time, deleted, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (kind, number, version + 1, ref, int(time.time() * 1000), deleted, text)).lastrowid
        self.db.execute(
            "UPDATE document SET version = ?, seq = ?, deleted = ?, body = ? WHERE id = ?", (version + 1, seq, deleted, text, number))
        return self.shown(self.row(kind, str(number)))

    # Rules

    def admitted(self, kind, key, body, before=None):
        body = self.checked(TYPES[kind], body, before)
        for name in NEEDED[kind]:
            if body.get(name) in (None, "", []):
                raise Refused(422, "missing-field", f"{name} is needed", name)
        if kind in ("clients", "parts") and body.get("code"):
            other = self.db.execute(
                "SELECT id FROM document WHERE type = ? AND NOT deleted AND body ->> 'code' = ? AND id != ?",
                (kind, body["code"], int(key or -1))).fetchone()
            if other:
                raise Refused(409, "duplicate-code", f"{body['code']} is the code of {other['id']} already", "code")
        if kind == "clients":
            body.setdefault("blocked", False)
        if kind == "parts":
            body.setdefault("saleable", True)
        if kind == "jobs":
            self.admit_job(body, before)
        return body

    def checked(self, checks, body, before=None):
        result = {}
        for name, value in body.items():
            if name not in checks:
                raise Refused(422, "unknown-field", f"there is no member {name}", name)
            if value is None:
                continue
            if name in ("number", "total"):
                if (before or {}).get(name) != value:
                    raise Refused(422, "read-only", f"{name} is set here and nowhere else", name)
                result[name] = value
            else:
                result[name] = checks[name](name, value) if checks[name] else value
        return result

    def admit_job(self, body, before):
        client = self.row("clients", body["client"])
        if client is None or client["deleted"]:
            raise Refused(422, "unknown-client", f"there is no client {body['client']}", "client")
        if before is None and loads(client["body"]).get("blocked"):
            raise Refused(422, "client-blocked", "the client is blocked", "client")
        body.setdefault("status", "open")
        old = (before or {}).get("status")
        if old is None and body["status"] != "open":
            raise Refused(422, "illegal-transition", "a job begins as open", "status")
        if old not in (None, body["status"]) and body["status"] not in STEPS[old]:
            raise Refused(422, "illegal-transition", f"a job that is {old} cannot become {body['status']}", "status")
        lines = body["lines"]
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise invalid("lines", "needs a list of objects")
        body["lines"] = [self.checked(LINE, line) for line in lines]
        numbers = [line.get("no") for line in body["lines"]]
        if None in numbers or len(set(numbers)) != len(numbers):
            raise invalid("lines", "each line needs a no of its own")
        if old not in (None, "open") and dumps(body["lines"]) != dumps(before["lines"]):
            raise Refused(409, "started", "the lines of a job that was started stand", "lines")
        old_parts = {line["part"] for line in (before or {}).get("lines", [])}
        total = decimal.Decimal(0)
        for line in body["lines"]:
            if not line.get("quantity"):
                raise invalid("lines", f"line {line['no']} needs a quantity")
            part = self.row("parts", line.get("part") or "")
            if part is None:
                raise Refused(422, "unknown-part", f"there is no part {line.get('part')}", "lines")
            about = loads(part["body"])
            if not about.get("saleable") and line["part"] not in old_parts:
                raise Refused(422, "not-saleable", f"part {about['code']} is not for sale", "lines")
            line.setdefault("price", decimal.Decimal(about.get("price", 0)).quantize(decimal.Decimal("0.0001")))
            total += line["quantity"] * line["price"]
        body["total"] = total.quantize(decimal.Decimal("0.01"), rounding=decimal.ROUND_HALF_UP)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    workshop = None
    token = None

    def log_message(self, *_):
        pass

    def answer(self, status, value, headers=()):
        data = dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, text in headers:
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    def tell(self, status, document):
        self.answer(status, document, [("ETag", f'"{document["version"]}"')])

    def handle_request(self):
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        if self.token and self.headers.get("Authorization") != f"Bearer {self.token}":
            return self.answer(401, {"rule": "unauthorised", "text": "the token is not the one"})
        try:
            self.route(data)
        except Refused as refusal:
            self.answer(refusal.status, {"rule": refusal.rule, "field": refusal.field, "text": str(refusal)})
        except (ValueError, KeyError, TypeError) as error:
            self.answer(400, {"rule": "invalid-request", "text": str(error)})

    do_GET = do_POST = do_PATCH = do_DELETE = handle_request

    def route(self, data):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = url.path.strip("/").split("/")
        limit = max(1, min(1000, int(query.get("limit", 100))))
        workshop = self.workshop
        if parts == ["status"]:
            return self.answer(200, workshop.transaction(workshop.status))
        if parts == ["types"]:
            return self.answer(200, types())
        if parts == ["changes"]:
            return self.answer(200, workshop.transaction(workshop.changes, int(query.get("after", 0)), limit))
        if parts[0] not in TYPES or len(parts) > 2:
            raise Refused(404, "not-found", f"there is no {url.path}")
        kind, match = parts[0], self.headers.get("If-Match")
        body = loads(data) if data else {}
        if not isinstance(body, dict):
            raise ValueError("the body has to be an object")
        if len(parts) == 1:
            if self.command == "POST":
                ref = self.headers.get("X-Reference")
                document, is_new = workshop.transaction(workshop.create, kind, body, ref)
                return self.tell(201 if is_new else 200, document)
            if self.command == "GET" and "ref" in query:
                return self.answer(200, workshop.transaction(workshop.found, kind, query["ref"]))
            if self.command == "GET":
                return self.answer(200, workshop.transaction(workshop.page, kind, int(query.get("after", 0)), limit))
        elif self.command == "GET":
            row = workshop.transaction(workshop.row, kind, parts[1])
            if row is None:
                raise Refused(404, "not-found", f"there is no {url.path}")
            return self.tell(200, workshop.shown(row))
        elif self.command == "PATCH":
            document, is_new = workshop.transaction(workshop.update, kind, parts[1], body, match)
            return self.answer(200, document, [("ETag", f'"{document["version"]}"'), ("X-Changed", str(is_new).lower())])
        elif self.command == "DELETE":
            return self.tell(200, workshop.transaction(workshop.delete, kind, parts[1], match))
        raise Refused(405, "no-such-method", f"{self.command} is not for {url.path}")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--file", required=True)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=8085, help="0: any that is free")
    options.add_argument("--token")
    chosen = options.parse_args()
    Handler.workshop = Workshop(chosen.file)
    Handler.token = chosen.token
    with Server((chosen.host, chosen.port), Handler) as server:
        print(f"http://{chosen.host}:{server.server_address[1]}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
