import Foundation
import HubModel
import Testing

@testable import StandIns
@testable import multipoint

@Suite("multipoint driver new and test")
struct DriverToolTests {
    private static let hasPython = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/python3")
    }

    @Test("a new driver in Python describes itself, passes the kit's checks, and is not written twice", .enabled(if: hasPython))
    func python() throws {
        let program = try Program()
        let made = try program.run("driver", "new", "my-shop", "--language", "python")
        #expect(made.code == 0 && made.output.contains("multipoint driver test process --set folder=my-shop"), "\(made.errors)")
        let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../drivers/examples/python/multipoint_driver.py")
        #expect(try String(decoding: Data(contentsOf: example), as: UTF8.self) == program.text("my-shop/multipoint_driver.py"))
        let described = try program.run("driver", "describe", "process", "--set", "folder=my-shop", "--set", "file=my-shop.db")
        #expect(described.code == 0 && described.output.hasPrefix("my-shop 0.1: A stand-in"), "\(described.errors)")
        let checks = [
            "manifest", "identity", "idempotent-redelivery", "conditional-write", "unknown-field", "rules", "delete", "intent-recovery",
            "discovery",
        ]
        let tested = try program.process(
            "driver", ["test", "process", "--set", "folder=my-shop", "--set", "file=my-shop.db"] + checks.flatMap { ["--check", $0] })
        #expect(tested.code == 0, "\(tested.output)\(tested.errors)")
        #expect(tested.output.contains("missing-field") && tested.output.contains("absent"), "\(tested.output)")
        #expect(described.output.contains("\ncan            apply, look up, read, page, capture, discover\n"), "\(described.output)")
        let again = try program.run("driver", "new", "my-shop", "--language", "python")
        #expect(again.code == 2 && again.errors.contains("my-shop/driver is there already; nothing was written"))
        let checked = try program.run("check", "--config", "my-shop/hub.yaml")
        #expect(checked.code == 0, "\(checked.errors)")
    }

    /// A service that answers as its path says, and what the new driver's calls make of it.
    private static let httpTrial = """
        import http.server, json, threading, time
        import multipoint_driver as hub
        from http_service import Service

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status = self.path.rsplit("/", 1)[1]
                if status == "silent":
                    return time.sleep(3)
                body = {"422": {"code": "no-name", "field": "name", "message": "a name"}, "200": {"id": 1.10}}.get(status)
                self.send_response(int(status))
                self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode() if body else b"<html>" if status == "201" else b"")

            do_GET = do_POST

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        service = Service(f"http://127.0.0.1:{server.server_port}/api", patience=1)

        def tried(call):
            try:
                return hub.dumps(call())
            except hub.DriverError as error:
                return type(error).__name__

        for status in ["200", "201", "404", "412", "422", "400", "429", "503", "500", "302", "401", "silent"]:
            print(status, tried(lambda: service.write("POST", f"/{status}", {"name": "x"})), tried(lambda: service.read(f"/{status}")))
        server.shutdown()
        server.server_close()
        print("closed", tried(lambda: service.write("POST", "/200", {})), tried(lambda: service.read("/200")))
        """

    @Test("a new driver's calls over HTTP tell refusals, patience and missing answers apart", .enabled(if: hasPython))
    func http() throws {
        let program = try Program()
        _ = try program.run("driver", "new", "my-shop", "--language", "python")
        try program.write("my-shop/trial.py", Self.httpTrial)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "trial.py"]
        process.currentDirectoryURL = URL(fileURLWithPath: program.folder + "/my-shop")
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let told = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let wanted = #"""
            200 [{"id":1.1},null] {"id":1.1}
            201 NoAnswer Unexpected
            404 [null,{"kind":"gone"}] null
            412 [null,{"kind":"changed"}] Unexpected
            422 [null,{"kind":"rejected","rule":"no-name","field":"name","text":"a name"}] Unexpected
            400 [null,{"kind":"rejected","rule":"http-400","field":null,"text":"status 400"}] Unexpected
            429 [null,{"kind":"retry","afterMilliseconds":7000,"reason":"the application is busy (429)"}] Unreachable
            503 [null,{"kind":"retry","afterMilliseconds":7000,"reason":"the application is busy (503)"}] Unreachable
            500 NoAnswer Unreachable
            302 NoAnswer Unexpected
            401 Unauthorised Unauthorised
            silent NoAnswer Unreachable
            closed Unreachable Unreachable

            """#
        #expect(told == wanted, "\(told)")
    }

    @Test("secrets of a setting come from the environment or a file, and are not shown")
    func secrets() throws {
        let program = try Program(files: ["place": "erp.db\n"])
        let fromFile = try program.run("driver", "describe", "reference-erp", "--set", "file=file:place")
        #expect(fromFile.code == 0, "\(fromFile.errors)")
        let process = program.process(["driver", "describe", "reference-erp", "--set", "file=env:PLACE_OF_ERP"])
        process.environment = ProcessInfo.processInfo.environment.merging(["PLACE_OF_ERP": "erp.db"]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let missing = try program.run("driver", "describe", "reference-erp", "--set", "file=env:PLACE_OF_ERP")
        #expect(missing.code == 2 && missing.errors.contains("the environment has no variable PLACE_OF_ERP"), "\(missing.errors)")
        let unread = try program.run("driver", "describe", "reference-erp", "--set", "file=file:nowhere")
        #expect(unread.code == 2 && unread.errors.contains("nowhere cannot be read"), "\(unread.errors)")
    }

    @Test("a proxy between driver and application makes faults; without one they are absent", .enabled(if: hasPython))
    func proxy() throws {
        let program = try Program(files: ["workshop.token": Workshop.token])
        let workshop = try Workshop()
        func tested(_ more: String...) throws -> Program.Result {
            let settings = [
                "folder=\(Workshop.folder)", "url=http://127.0.0.1:\(workshop.port)", "token=file:workshop.token", "answerMilliseconds=800",
                "settleMilliseconds=1200",
            ]
            let checks = ["intent-recovery", "unreachable", "slow-and-time-out"]
            return try program.process(
                "driver", ["test", "process"] + settings.flatMap { ["--set", $0] } + checks.flatMap { ["--check", $0] } + more)
        }
        func lines(_ result: Program.Result, _ word: String) -> [Substring] {
            result.output.split(separator: "\n").filter { $0.hasPrefix("  \(word)") }
        }
        let through = try tested("--proxy", "url")
        #expect(through.code == 0, "\(through.output)\(through.errors)")
        for check in ["intent-recovery", "unreachable", "slow-and-time-out"] {
            #expect(lines(through, "passed").contains { $0.contains(check) }, "\(check): \(through.output)")
        }
        #expect(lines(through, "absent").isEmpty, "\(through.output)")
        let without = try tested()
        #expect(lines(without, "passed").isEmpty && lines(without, "absent").count > 3, "\(without.output)")
        #expect(without.code == 1, "nothing was tried")
        let wrong = try tested("--proxy", "token")
        #expect(wrong.code == 2 && wrong.errors.contains("--proxy token: that setting holds no address"), "\(wrong.errors)")
    }

    @Test("a broken driver fails the test with exit code 1", .enabled(if: hasPython))
    func broken() throws {
        let program = try Program()
        _ = try program.run("driver", "new", "my-shop", "--language", "python")
        let text = program.text("my-shop/driver")
        try program.write("my-shop/broken", text.replacing("raise Refused(\"unknown-field\"", with: "continue  # ("))
        let tested = try program.process(
            "driver",
            [
                "test", "process", "--set", "folder=my-shop", "--set", "command=python3 broken", "--set", "file=my-shop.db", "--check",
                "unknown-field",
            ])
        #expect(tested.code == 1 && tested.output.contains("unknown-field"), "\(tested.output)\(tested.errors)")
    }

    @Test("a new driver in Swift is written into the repository and named in its two lists")
    func swift() throws {
        let program = try Program(files: [
            "Package.swift": "let drivers: [(…)] = [\n    (\"A\", [], []),\n]\n            tests(\"HubModelTests\", []),\n",
            "Sources/multipoint/DriverCatalog.swift": "import HubDriver\n\nenum DriverCatalog {\n    static let all: [x] = [\n    ]\n}\n",
        ])
        let made = try program.run("driver", "new", "my-shop", "--language", "swift")
        #expect(made.code == 0 && !made.output.contains("by hand"), "\(made.output)\(made.errors)")
        #expect(program.text("Package.swift").contains("] = [\n    (\"MyShop\", [\"my-shop-customer\"], []),\n    (\"A\", [], []),"))
        #expect(
            program.text("Package.swift").contains("tests(\"MyShopTests\", [\"MyShop\", \"HubTestKit\", \"HubDriver\", \"HubModel\"]),"))
        #expect(program.text("Sources/multipoint/DriverCatalog.swift").contains("import HubDriver\nimport MyShop\n"))
        #expect(program.text("Sources/multipoint/DriverCatalog.swift").contains("        MyShopFactory.self,\n"))
        #expect(program.text("drivers/MyShop/MyShopFactory.swift").contains("PackageResources.my_shop_customer_yaml"))
        #expect(!program.text("drivers/MyShop/MyShopDriver.swift").contains("{{"))
    }

    @Test("names what is wrong")
    func usage() throws {
        let program = try Program(files: ["samples.json": "{\"x\": {\"create\": {}}}"])
        #expect(try program.run("driver", "new", "my--shop", "--language", "python").errors.contains("cannot be a driver's name"))
        #expect(try program.run("driver", "new", "my-shop", "--language", "swift").errors.contains("is not the repository"))
        let result = try program.run("driver", "test", "reference-erp", "--set", "file=erp.db", "--samples", "samples.json")
        #expect(result.code == 2 && result.errors.contains("x needs create and change"), "\(result.errors)")
        let check = try program.run("driver", "test", "reference-erp", "--set", "file=erp.db", "--check", "nothing")
        #expect(check.code == 2 && check.errors.contains("there is no such check"))
    }
}

extension Program {
    /// ``run(_:input:)`` with a list.
    fileprivate func process(_ command: String, _ arguments: [String]) throws -> Result {
        let process = process([command] + arguments)
        let place = "\(folder)/\(UUID().uuidString)"
        for end in ["out", "err"] { _ = FileManager.default.createFile(atPath: "\(place).\(end)", contents: nil) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: "\(place).out")
        process.standardError = FileHandle(forWritingAtPath: "\(place).err")
        try process.run()
        process.waitUntilExit()
        func read(_ end: String) -> String {
            String(decoding: FileManager.default.contents(atPath: "\(place).\(end)") ?? Data(), as: UTF8.self)
        }
        return Result(code: process.terminationStatus, output: read("out"), errors: read("err"))
    }
}
