import Foundation
import HubModel
import Testing

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
        ]
        let tested = try program.process(
            "driver", ["test", "process", "--set", "folder=my-shop", "--set", "file=my-shop.db"] + checks.flatMap { ["--check", $0] })
        #expect(tested.code == 0, "\(tested.output)\(tested.errors)")
        #expect(tested.output.contains("missing-field") && tested.output.contains("absent"), "\(tested.output)")
        let again = try program.run("driver", "new", "my-shop", "--language", "python")
        #expect(again.code == 2 && again.errors.contains("my-shop/driver is there already; nothing was written"))
        let checked = try program.run("check", "--config", "my-shop/hub.yaml")
        #expect(checked.code == 0, "\(checked.errors)")
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
