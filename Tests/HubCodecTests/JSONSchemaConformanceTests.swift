import Foundation
import HubCodec
import HubModel
import Testing

/// The JSON Schema test suite, draft 2020-12, on every file found. `optional/` counts apart: there a difference is told, not a failure.
@Suite struct JSONSchemaConformanceTests {
    fileprivate struct Count {
        var passed = 0
        var failed = 0
        var left: [String] = []
    }

    @Test func everyCaseIsJudgedAsTheSuiteSays() throws {
        guard let folder = Self.vectors else {
            print("JSONSchemaConformanceTests: no json-schema vectors found, skipped")
            return
        }
        let remotes = try Self.remotes(folder.appending(path: "remotes"))
        let suite = folder.appending(path: "draft2020-12")
        let files = FileManager.default.subpaths(atPath: suite.path)?.filter { $0.hasSuffix(".json") }.sorted() ?? []
        #expect(!files.isEmpty)
        var required = Count()
        var optional = Count()
        for file in files {
            let isOptional = file.hasPrefix("optional/")
            let groups = try JSONDocument.parse([UInt8](Data(contentsOf: suite.appending(path: file)))).value.array ?? []
            for group in groups {
                let result = Self.run(group, file: file, remotes: remotes, assertsFormat: file.hasPrefix("optional/format"))
                if isOptional { optional.add(result) } else { required.add(result) }
            }
        }
        for line in optional.left { print("JSONSchemaConformanceTests, optional, differs: \(line)") }
        for line in required.left { Issue.record("\(line)") }
        #expect(required.passed > 0 && required.failed == 0)
        print(
            "JSONSchemaConformanceTests: required \(required.passed) passed, \(required.failed) failed, 0 left out;",
            "optional \(optional.passed) passed, \(optional.failed) differ, 0 left out")
        // What is optional must not get worse unseen.
        #expect(optional.failed * 10 <= optional.passed)
    }

    private static func run(_ group: Value, file: String, remotes: [String: Value], assertsFormat: Bool) -> Count {
        var count = Count()
        let name = "\(file): \(group["description"]?.text ?? "")"
        let tests = group["tests"]?.array ?? []
        do {
            let validator = try SchemaValidator(schema: group["schema"] ?? .null, resources: remotes, assertsFormat: assertsFormat)
            for test in tests {
                let data = test["data"] ?? .null
                let violations = validator.validate(data)
                if violations.isEmpty == test["valid"]?.bool, validator.accepts(data) == violations.isEmpty {
                    count.passed += 1
                } else {
                    count.failed += 1
                    count.left.append("\(name): \(test["description"]?.text ?? ""): \(violations.first.map { "\($0)" } ?? "valid")")
                }
            }
        } catch {
            count.failed += tests.count
            count.left.append("\(name): \(error)")
        }
        return count
    }

    private static func remotes(_ folder: URL) throws -> [String: Value] {
        var result: [String: Value] = [:]
        for path in FileManager.default.subpaths(atPath: folder.path) ?? [] where path.hasSuffix(".json") {
            let bytes = [UInt8](try Data(contentsOf: folder.appending(path: path)))
            result["http://localhost:1234/\(path)"] = try JSONDocument.parse(bytes).value
        }
        return result
    }

    /// The folder of vectors; nil where this machine has none.
    private static var vectors: URL? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let base =
            ProcessInfo.processInfo.environment["MULTIPOINT_VECTORS"].map { URL(filePath: $0) }
            ?? root.appending(path: "../shared/data").standardizedFileURL
        let folder = base.appending(path: "json-schema")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }
}

extension JSONSchemaConformanceTests.Count {
    fileprivate mutating func add(_ other: Self) {
        passed += other.passed
        failed += other.failed
        left += other.left
    }
}
