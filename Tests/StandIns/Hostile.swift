import Foundation

/// A process that describes itself as a driver with one document type, and misbehaves as it is told.
///
/// `hostile.py MODE FOLDER`: once, in the first process that runs in that folder. A third word says how it is in a hub, where it takes part
/// in nothing but deliveries: `always` misbehaves for good, `once` as before.
enum Hostile {
    static let script = #"""
        import json, os, signal, sys, time

        mode, place, inHub = sys.argv[1], sys.argv[2], sys.argv[3:]
        starts = os.path.join(place, "starts")
        with open(starts, "a") as f: f.write("x")
        start = len(open(starts).read())

        def note(name, text=""):
            with open(os.path.join(place, name), "a") as f: f.write(text + "\n")

        def say(text):
            sys.stdout.write(text); sys.stdout.flush()

        def answer(call, result):
            say(json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result}) + "\n")

        def describe():
            capabilities = ["lookUp", "read", "page", "capture"]
            entity = {
                "native": "thing", "entity": "product", "operations": ["create", "update"], "createIsRepeatable": True,
                "hasToken": True, "tellsReference": True, "tellsDeletes": True, "delete": "refuses"}
            manifest = {
                "driver": "hostile", "version": "1", "summary": "", "entities": [entity], "settleMilliseconds": 300,
                "answerMilliseconds": 700, "limits": {"batch": 10, "concurrentCalls": 2}, "window": ""}
            if mode == "contradiction":
                entity.update(operations=["create", "delete"], createIsRepeatable=False, transitions={"open": ["done"]})
                capabilities = ["page"]
            if mode == "misspelt": entity["hasTokens"] = True
            if inHub: capabilities = ["lookUp", "read"]
            if mode == "bare": capabilities = ["read"]; entity["operations"] = ["update"]
            if mode == "version": return {"protocol": 2, "manifest": manifest, "capabilities": capabilities}
            if mode == "otherwise" and start > 1: manifest["version"] = "2"
            return {"protocol": 1, "manifest": manifest, "capabilities": capabilities}

        if mode == "exit": print("no such module: shop", file=sys.stderr); sys.exit(3)
        if mode == "mute": time.sleep(60)
        if mode == "stubborn": signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if mode == "chatty": say("Hello, I am a driver\n")
        note("pid-%d" % os.getpid())
        if mode == "child":
            if os.fork() == 0: time.sleep(60)

        document = {"key": "7", "token": "1", "fields": {"price": 1}}

        def done(delivery):
            if not inHub: return document
            return {"key": delivery["reference"], "token": "1", "reference": delivery["reference"], "fields": delivery["fields"]}

        while True:
            line = sys.stdin.readline()
            if not line: break
            call = json.loads(line)
            method, params = call["method"], call["params"]
            if method == "describe":
                note("settings", json.dumps(params))
                note("environment", json.dumps(dict(os.environ)))
                answer(call, describe())
                if mode == "deaf": time.sleep(60)
                continue
            if method == "probe":
                answer(call, {"instance": "hostile" if inHub else "hostile-%d" % start, "version": "1", "details": [os.getcwd()]}); continue
            note("got")
            good = {"answers": [{"kind": "written", "document": done(delivery)} for delivery in params.get("deliveries", [])]}
            if inHub and method == "lookUp": good = {"documents": [[] for _ in params["references"]]}
            first = start == 1 or inHub == ["always"]
            if mode == "garbage" and first: say("Traceback (most recent call last):\n")
            elif mode == "binary" and first: sys.stdout.buffer.write(b"\xff\x00\x1b[2J\n"); sys.stdout.flush()
            elif mode == "twice" and first: answer(call, good); answer(call, good)
            elif mode == "foreign" and first: answer({"id": 4711}, good)
            elif mode == "earlier" and first: answer({"id": 1}, good)
            elif mode == "caller" and first: say('{"jsonrpc":"2.0","id":1,"method":"read","params":{}}\n')
            elif mode == "hang" and first: time.sleep(60)
            elif mode == "late" and first: time.sleep(1.0); answer(call, good)
            elif mode in ("die", "otherwise") and first: os._exit(9)
            elif mode == "kill" and first: os.kill(os.getpid(), signal.SIGKILL)
            elif mode == "half" and first: say('{"jsonrpc":"2.0","id":%d,"result":{}}' % call["id"]); os._exit(0)
            elif mode == "last" and first: answer(call, good); os._exit(0)
            elif mode == "long" and first: say("x" * 300000)
            elif mode == "shut" and first: os.close(1); time.sleep(60)
            elif mode == "shutIn" and first: os.close(0); time.sleep(60)
            elif mode == "count": answer(call, {"answers": []})
            elif mode == "wrong":
                good["answers"][0] = {"kind": "done"}; answer(call, good)
            elif mode == "busy":
                busy = {"kind": "retry", "afterMilliseconds": 1, "reason": "somebody is at the till"}
                answer(call, {"answers": [busy for _ in params.get("deliveries", [])]})
            elif mode == "noisy":
                for n in range(2000): print("complaint %d" % n, file=sys.stderr)
                print("y" * 100000, file=sys.stderr); answer(call, good)
            elif mode == "refusal":
                code = int(params["deliveries"][0]["fields"]["code"])
                say(json.dumps({"jsonrpc": "2.0", "id": call["id"], "error": {"code": code, "message": "because"}}) + "\n")
            elif mode == "crowd":
                note("calls", "%f %s" % (time.time(), call["id"])); time.sleep(0.1); answer(call, good)
            elif method == "apply": answer(call, good)
            elif method == "read": answer(call, {"documents": [None if d["key"] == "0" else document for d in params["documents"]]})
            elif method == "lookUp": answer(call, {"documents": [[] if inHub else [document] for _ in params["references"]]})
            elif method == "page": answer(call, {"documents": [document], "next": "7" if "after" not in params else None})
            elif method == "capture":
                change = {"native": "thing", "operation": "upsert", "key": "7", "position": 12, "token": "1", "time": 1000,
                          "reference": "product-1-7", "fields": {"price": 1}}
                answer(call, {"changes": [change], "position": "12"})
        note("ended")
        if mode == "stubborn": time.sleep(60)
        """#

    static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3") || pathHasPython

    private static var pathHasPython: Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/python3")
        }
    }
}
