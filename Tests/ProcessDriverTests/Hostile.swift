import Foundation
import HubDriver
import HubModel
import InMemoryLogging
import Logging
import Testing

@testable import ProcessDriver

/// A process that describes itself as a driver with one document type, and misbehaves as it is told.
enum Hostile {
    static let script = #"""
        import json, os, signal, sys, time

        mode, place = sys.argv[1], sys.argv[2]
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
                answer(call, {"instance": "hostile-%d" % start, "version": "1", "details": [os.getcwd()]}); continue
            note("got")
            good = {"answers": [{"kind": "written", "document": document} for _ in params.get("deliveries", [])]}
            first = start == 1
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
            elif method == "lookUp": answer(call, {"documents": [[document] for _ in params["references"]]})
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

/// A hostile process with a folder of its own, both gone with the test.
final class Bench: Sendable {
    let folder: String
    let driver: any Driver
    private let log: InMemoryLogHandler

    /// What has been logged, each with its level.
    var logged: [String] { log.entries.map { "\($0.level): \($0.message)" } }

    init(
        _ mode: String, settings: [String: String] = [:], companies: [CompanyID: String] = [:], change: (inout Launch) -> Void = { _ in }
    ) throws {
        folder = NSTemporaryDirectory() + "process-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var log = InMemoryLogHandler()
        log.logLevel = .debug
        self.log = log
        let place = folder
        do {
            try Data(Hostile.script.utf8).write(to: URL(fileURLWithPath: place + "/hostile.py"))
            let values = settings.merging(["folder": place, "command": "python3 -u hostile.py \(mode) '\(place)'"]) { $1 }
            var launch = try ProcessFactory.launch(
                DriverSettings(application: "shop", values: values, companies: companies), environment: ProcessInfo.processInfo.environment)
            launch.bounds.grace = .milliseconds(400)
            launch.bounds.restarts = Restarts(firstDelay: .milliseconds(100), longestDelay: .seconds(1))
            change(&launch)
            let log = self.log
            driver = try SupervisedProcess(launch, logger: Logger(label: "test") { _ in log }).driver()
        } catch {
            try? FileManager.default.removeItem(atPath: place)
            throw error
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data(), as: UTF8.self)
    }

    /// The processes so far.
    var pids: [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasPrefix("pid-") }.compactMap {
            Int32($0.dropFirst(4))
        }
    }

    /// What a call's error is; nil where there is none.
    func failure(_ fields: Fields = ["price": 2]) async -> DriverError? {
        do throws(DriverError) {
            _ = try await driver.apply([delivery(fields)])
            return nil
        } catch {
            return error
        }
    }

    func delivery(_ fields: Fields = ["price": 2]) -> Delivery {
        Delivery(
            target: Target("shop", .shared, "product-1-7"), version: Version(generation: 1, number: 3), operation: .update, native: "thing",
            key: "7",
            reference: "product-1-7", fields: fields, expected: .init(token: "1", fields: ["price": 1]))
    }

    /// Calls until one succeeds, which it has to within some seconds.
    func recovers() async -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if await failure() == nil { return true }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }
}

/// True where no such process is there any more, not even as a zombie.
func isGone(_ pid: Int32) async -> Bool {
    for _ in 0..<200 {
        if kill(pid, 0) != 0 { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return false
}
