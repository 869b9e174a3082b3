import Foundation
import Testing

/// Small trials, each with a mistake made on purpose: checks that do not find it would prove nothing.
@Suite("multipoint chaos", .serialized)
struct ChaosTests {
    private func trial(_ arguments: String...) throws -> (code: Int32, report: [String: Any], errors: String) {
        let program = try Program()
        let process = program.process(["chaos", "--json", "--keep", "trial"] + arguments)
        let (output, errors) = (program.folder + "/out", program.folder + "/err")
        for file in [output, errors] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let object = try? JSONSerialization.jsonObject(with: FileManager.default.contents(atPath: output) ?? Data())
        return (process.terminationStatus, object as? [String: Any] ?? [:], program.text("err"))
    }

    private func problems(_ report: [String: Any]) -> [String] { report["problems"] as? [String] ?? [] }

    @Test("a hub that is killed twice loses nothing")
    func well() throws {
        let (code, report, errors) = try trial("--kills", "2", "--seed", "5")
        #expect(code == 0, "\(problems(report)) \(errors)")
        #expect(report["well"] as? Bool == true)
        #expect((report["kills"] as? [String: Int])?.values.reduce(0, +) == 2)
        #expect(report["unexplained"] as? Int == 0)
        #expect((report["documents"] as? Int ?? 0) > 90)
    }

    @Test("an edit that never reached its feed is found")
    func lostRecord() throws {
        let (code, report, errors) = try trial("--kills", "1", "--seed", "11", "--plant", "lost-record")
        #expect(code == 1, "\(errors)")
        #expect(
            problems(report).contains { $0.contains("fields differ without a reason") && $0.contains(" phone: ") }, "\(report) \(errors)")
    }

    @Test("an order that is there twice is found")
    func doubledOrder() throws {
        let (code, report, errors) = try trial("--kills", "1", "--seed", "12", "--plant", "doubled-order")
        #expect(code == 1, "\(errors)")
        #expect(problems(report).contains { $0.contains("is 2 orders") }, "\(report) \(errors)")
        #expect(problems(report).contains { $0.contains("is there 2 times") }, "\(report) \(errors)")
    }

    @Test("an edit that was taken back is found")
    func revertedEdit() throws {
        let (code, report, errors) = try trial("--kills", "1", "--seed", "13", "--plant", "reverted-edit")
        #expect(code == 1, "\(errors)")
        #expect(problems(report).contains { $0.contains("an edit was lost or taken back") }, "\(report) \(errors)")
    }

    @Test("damaged records are events, nothing of the hub's, or dead letters")
    func fuzz() throws {
        let program = try Program()
        let result = try program.run("chaos", "fuzz", "--seconds", "2", "--seed", "3", "--json")
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.contains("\"finding\":null"))
        #expect(try program.run("chaos", "--plant", "nothing").code == 2)
    }
}
