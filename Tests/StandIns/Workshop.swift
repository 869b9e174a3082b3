import Foundation

/// The example's service, live: a process with a file of its own, both gone with the test.
final class Workshop: Sendable {
    /// The service did not say where it listens.
    struct WrongWord: Error {
        var said: String
    }

    /// The example driver's folder, the service beside it.
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("drivers/examples/python").path

    static let token = "s3cret"

    private let process = Process()
    let port: Int
    private let file: String

    init() throws {
        file = NSTemporaryDirectory() + "workshop-\(UUID().uuidString).db"
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-u", "service.py", "--file", file, "--port", "0", "--token", Self.token]
        process.currentDirectoryURL = URL(fileURLWithPath: Self.folder)
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: ":").last ?? "") else {
            kill(process.processIdentifier, SIGKILL)
            throw WrongWord(said: line)
        }
        self.port = port
    }

    deinit {
        // Not SIGTERM, which a child of a test runner may have been told to ignore.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file + suffix) }
    }
}
