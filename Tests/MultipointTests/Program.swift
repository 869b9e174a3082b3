import Foundation
import Testing

/// The built program, run in a folder of its own.
final class Program {
    struct Result {
        var code: Int32
        var output: String
        var errors: String
    }

    let folder: String

    init(files: [String: String] = [:]) throws {
        folder = NSTemporaryDirectory() + "multipoint-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, text) in files { try write(name, text) }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ name: String, _ text: String) throws {
        let file = URL(fileURLWithPath: folder + "/" + name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// It lies beside the tests.
    static let path = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("multipoint").path

    func process(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        return process
    }

    func run(_ arguments: String..., input: String = "") throws -> Result { try run(arguments: arguments, input: input) }

    func run(arguments: [String], input: String = "") throws -> Result {
        let process = process(arguments)
        let name = UUID().uuidString
        for file in ["in", "out", "err"] { try write("\(name).\(file)", file == "in" ? input : "") }
        defer { for file in ["in", "out", "err"] { try? FileManager.default.removeItem(atPath: "\(folder)/\(name).\(file)") } }
        process.standardInput = FileHandle(forReadingAtPath: "\(folder)/\(name).in")
        process.standardOutput = FileHandle(forWritingAtPath: "\(folder)/\(name).out")
        process.standardError = FileHandle(forWritingAtPath: "\(folder)/\(name).err")
        try process.run()
        process.waitUntilExit()
        return Result(code: process.terminationStatus, output: text("\(name).out"), errors: text("\(name).err"))
    }

    func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data(), as: UTF8.self)
    }

    static let configuration = """
        hub: acme
        bus: { bootstrap.servers: { file: bus.address } }
        store: hub.db
        companies:
          fr: { currency: EUR, timeZone: Europe/Paris }
        applications:
          crm: { driver: reference-crm, file: data/crm.db }
          erp: { driver: reference-erp, file: data/erp.db }
        entities:
          customer: { owner: crm, fields: { creditLimit: erp } }
          product: { owner: erp }
          order: { owner: crm, ownerAfter: { confirmed: erp }, create: { erp: approve } }
          invoice: { owner: erp }

        """

    static let files = ["hub.yaml": configuration, "bus.address": "127.0.0.1:1\n", "data/readme": "for the applications' files\n"]
}
