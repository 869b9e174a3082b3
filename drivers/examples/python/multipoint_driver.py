"""What a Multipoint driver in Python needs: the protocol of drivers/PROTOCOL.md. Python 3.9 or later, standard library only.

Subclass Driver, then serve(MyDriver()). Numbers with decimals arrive as decimal.Decimal and are written exactly as they are;
never make a float of an amount. Whatever is printed goes to the hub's log, because standard output belongs to the protocol.
"""

import concurrent.futures
import decimal
import json
import os
import sys
import threading
import time
import traceback

PROTOCOL = 1


class DriverError(Exception):
    """Why a whole call failed; the text is for the person who reads the hub's log."""

    code = -32603


class Unreachable(DriverError):
    """The application cannot be reached: nothing of what was asked has happened."""

    code = -32001


class NoAnswer(DriverError):
    """What was asked may have happened, or may still."""

    code = -32002


class Unauthorised(DriverError):
    """The application refuses who we are."""

    code = -32003


class Configuration(DriverError):
    """The settings are wrong."""

    code = -32004


class Unexpected(DriverError):
    """The application answered what its own interface does not allow."""

    code = -32005


# Answers to one delivery.

def written(document):
    """Done; the document as read back."""
    return {"kind": "written", "document": document}


def unchanged(document):
    """Nothing had to be done."""
    return {"kind": "unchanged", "document": document}


def rejected(rule, text, field=None):
    """A rule of the application forbids it; nothing was changed."""
    return {"kind": "rejected", "rule": rule, "field": field, "text": text}


def later(seconds, reason):
    """Not yet, through no fault of the document: a rate limit, maintenance, a person. Nothing was changed; never given up."""
    return {"kind": "later", "afterMilliseconds": int(seconds * 1000), "reason": reason}


def retry(seconds, reason):
    """It failed this time and may pass; nothing was changed. After the last attempt the delivery is a dead letter."""
    return {"kind": "retry", "afterMilliseconds": int(seconds * 1000), "reason": reason}


def changed():
    """The document is not in the expected state any more; nothing was changed."""
    return {"kind": "changed"}


def gone():
    """The document does not exist any more; nothing was changed."""
    return {"kind": "gone"}


def no_answer(reason):
    """It may have taken effect, or may still."""
    return {"kind": "noAnswer", "reason": reason}


# Answers to a question.

def says(fields, as_of=None):
    """The answer's members; as_of: seconds since 1970 by the application's clock, or left out where it tells none."""
    return {"kind": "says", "fields": fields, "asOf": int((time.time() if as_of is None else as_of) * 1000)}


def refused(rule, text, field=None):
    """The question itself is wrong: a product that is not there."""
    return {"kind": "refused", "rule": rule, "field": field, "text": text}


def cannot_say(reason):
    """The application is there and cannot tell."""
    return {"kind": "cannotSay", "reason": reason}


class Driver:
    """One application. Methods are called from several threads at once, up to the manifest's limits.concurrentCalls."""

    #: From the beginning of a write to its effect, at most; in seconds.
    slowest_write = 0.0

    def describe(self, application, settings, companies):
        """The manifest, a dictionary. Keep what the settings say; reach nothing yet. Raise Configuration where they are wrong."""
        raise NotImplementedError

    def capabilities(self):
        """Those methods that this class has besides probe and apply."""
        names = {"lookUp": "look_up", "read": "read", "page": "page", "capture": "capture", "discover": "discover"}
        return [name for name, method in names.items() if hasattr(self, method)]

    def answer_times(self):
        """Milliseconds that the hub waits for a call, where that is not the manifest's answerMilliseconds: {"page": 60000}."""
        return {}

    def probe(self):
        """{"instance": …, "version": …, "details": […]}"""
        raise NotImplementedError

    def answer(self, function, company, arguments):
        """One question, of the functions that the manifest names; returns one of the answers above. Writes nothing."""
        return cannot_say(f"there is no function {function}")

    def deliver(self, delivery):
        """One delivery; returns one of the answers above. Unreachable only while nothing has been sent to the application for it."""
        raise NotImplementedError

    def apply(self, deliveries, settle_by):
        """All deliveries of a call, one after the other. settle_by: seconds since 1970; nothing may take effect after it."""
        answers = []
        for delivery in deliveries:
            if time.time() + self.slowest_write > settle_by:
                answers.append(retry(0, "the call waited too long in the driver"))
                continue
            try:
                answers.append(self.deliver(delivery))
            except Unreachable as error:
                if not answers:
                    raise
                # What came before has happened; this and the rest has not.
                rest = len(deliveries) - len(answers)
                return answers + [retry(1, str(error)) for _ in range(rest)]
            except NoAnswer as error:
                answers.append(no_answer(str(error)))
            except (Unauthorised, Configuration) as error:
                if not answers:
                    raise
                answers.append(retry(10, str(error)))
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                answers.append(no_answer(f"the driver failed: {error!r}"))
        return answers

    # Capabilities: a subclass that has one of these defines it.
    #   look_up(self, references) -> a list of documents for each
    #   read(self, documents) -> a document or None for each
    #   page(self, native, company, after, limit) -> (documents, next)
    #   capture(self, after, limit) -> (changes, position)

    def close(self):
        """Nothing is called afterwards."""


# JSON with exact decimals

def loads(data):
    """The value of a JSON text; numbers with decimals as Decimal."""

    def refuse(name):
        raise ValueError(f"{name} is no JSON")

    return json.loads(data, parse_float=decimal.Decimal, parse_constant=refuse)


def dumps(value):
    """The JSON text of a value, in one line; Decimal exactly as it is."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, decimal.Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no JSON number")
        return str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{dumps(member)}" for name, member in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(dumps(element) for element in value) + "]"
    raise TypeError(f"{type(value).__name__} is no JSON; amounts are Decimal")


# The protocol

class _Server:
    def __init__(self, driver, calls, answers):
        self.driver = driver
        self.calls = calls
        self.answers = answers
        self.lock = threading.Lock()
        self.pool = None

    def run(self):
        for line in self.calls:
            try:
                call = loads(line)
                number, method, params = call["id"], call["method"], call.get("params") or {}
            except (ValueError, KeyError, TypeError) as error:
                self.send({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": str(error)}})
                continue
            if self.pool is None or method == "describe":
                # The first call; how many may come at once is not known before it.
                self.work(number, method, params)
            else:
                self.pool.submit(self.work, number, method, params)
        # The end of input: what is under way ends, and then the process does.
        if self.pool is not None:
            self.pool.shutdown(wait=True)
        self.driver.close()

    def work(self, number, method, params):
        answer = {"jsonrpc": "2.0", "id": number}
        try:
            answer["result"] = self.result(method, params)
            text = dumps(answer)
        except Exception as error:
            if not isinstance(error, DriverError):
                traceback.print_exc(file=sys.stderr)
            code = getattr(error, "code", None)
            answer.pop("result", None)
            answer["error"] = {"code": code if isinstance(code, int) else -32603, "message": str(error) or repr(error)}
            text = dumps(answer)
        self.write(text)

    def result(self, method, params):
        driver = self.driver
        if method == "describe":
            if params.get("protocol") != PROTOCOL:
                raise Configuration(f"the hub speaks protocol {params.get('protocol')}, this driver {PROTOCOL}")
            manifest = driver.describe(params["application"], params["settings"], params["companies"])
            calls = manifest.get("limits", {}).get("concurrentCalls", 1)
            self.pool = self.pool or concurrent.futures.ThreadPoolExecutor(max_workers=calls)
            description = {"protocol": PROTOCOL, "manifest": manifest, "capabilities": driver.capabilities()}
            if driver.answer_times():
                description["answerMilliseconds"] = driver.answer_times()
            return description
        if method == "probe":
            return driver.probe()
        if method == "apply":
            return {"answers": driver.apply(params["deliveries"], params["settleBy"] / 1000)}
        if method == "answer":
            return driver.answer(params["function"], params.get("company"), params["arguments"])
        if method in driver.capabilities():
            if method == "lookUp":
                return {"documents": driver.look_up(params["references"])}
            if method == "read":
                return {"documents": driver.read(params["documents"])}
            if method == "page":
                documents, following = driver.page(params["native"], params.get("company"), params.get("after"), params["limit"])
                return {"documents": documents, "next": following}
            if method == "discover":
                return driver.discover()
            changes, position = driver.capture(params.get("after"), params["limit"])
            return {"changes": changes, "position": position}
        error = DriverError(f"there is no call {method}")
        error.code = -32601
        raise error

    def send(self, answer):
        self.write(dumps(answer))

    def write(self, text):
        with self.lock:
            self.answers.write(text.encode("ascii") + b"\n")
            self.answers.flush()


def serve(driver):
    """Answers the hub's calls until it ends standard input."""
    answers = os.fdopen(os.dup(1), "wb")
    # A stray print must not stand between two answers.
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    try:
        _Server(driver, sys.stdin.buffer, answers).run()
    except (BrokenPipeError, KeyboardInterrupt):
        pass
