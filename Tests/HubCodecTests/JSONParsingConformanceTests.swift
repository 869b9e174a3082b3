import Foundation
import HubCodec
import Testing

/// The JSON parsing test suite: `y_` files must be read, `n_` files must be refused, `i_` files either, without harm.
@Suite struct JSONParsingConformanceTests {
    @Test func everyFileIsJudgedAsItsNameSays() throws {
        guard let folder = Self.vectors else {
            print("JSONParsingConformanceTests: no json-parsing vectors found, skipped")
            return
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }.sorted()
        #expect(files.count > 250)
        var passed = 0
        var failed = 0
        var free = (read: 0, refused: 0)
        for file in files {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(file)))
            let document = try? JSONDocument.parse(bytes)
            switch file.first {
            case "y", "n":
                let isRight = (document != nil) == file.hasPrefix("y")
                if isRight { passed += 1 } else { failed += 1 }
                #expect(isRight, "\(file)")
            default:
                if document == nil { free.refused += 1 } else { free.read += 1 }
                passed += 1
            }
            // What was read is written, read again and the same.
            if let document {
                let again = try JSONDocument.parse(document.value.json)
                #expect(again.value == document.value, "\(file)")
            }
        }
        print(
            "JSONParsingConformanceTests: \(passed) passed, \(failed) failed, 0 left out (i_: \(free.read) read, \(free.refused) refused)")
    }

    /// The folder of vectors; nil where this machine has none.
    private static var vectors: URL? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let base =
            ProcessInfo.processInfo.environment["MULTIPOINT_VECTORS"].map { URL(filePath: $0) }
            ?? root.appending(path: "../shared/data").standardizedFileURL
        let folder = base.appending(path: "json-parsing")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }
}
