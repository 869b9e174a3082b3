import Foundation

/// A process of this program's own, started with other arguments: what a trial kills, and must not leave behind.
final class ChildProcess {
    let name: String
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var unread: [UInt8] = []

    /// Starts it; what it says on standard error (and, unless `speaks`, on standard output) is added to `log`.
    ///
    /// - Parameter speaks: its standard output is read line by line with ``line(within:)``.
    init(_ name: String, _ arguments: [String], folder: String, log: String, speaks: Bool = false) throws {
        self.name = name
        if !FileManager.default.fileExists(atPath: log) { _ = FileManager.default.createFile(atPath: log, contents: nil) }
        guard let handle = FileHandle(forWritingAtPath: log) else { throw CommandFailure(.wrong, "\(log) cannot be written") }
        defer { try? handle.close() }
        _ = try handle.seekToEnd()
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = input
        process.standardError = handle
        process.standardOutput = speaks ? output : handle
        try process.run()
    }

    deinit { end() }

    /// This program's own file.
    private static let program =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]

    var isRunning: Bool { process.isRunning }

    /// Its exit code; the negated number of the signal where one ended it; nil while it runs.
    var ending: Int32? {
        if process.isRunning { return nil }
        return process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
    }

    func signal(_ number: Int32) {
        if process.isRunning { kill(process.processIdentifier, number) }
    }

    /// Kills it and waits until it is gone.
    func end() {
        signal(SIGKILL)
        process.waitUntilExit()
    }

    /// Waits for its end; nil where it has not come in time.
    func ending(within limit: Duration) async throws -> Int32? {
        let deadline = ContinuousClock.now + limit
        while process.isRunning, .now < deadline { try await Task.sleep(for: .milliseconds(10)) }
        return ending
    }

    /// Writes a line to its standard input; false where nobody reads it any more.
    @discardableResult
    func tell(_ text: String) -> Bool {
        (try? input.fileHandleForWriting.write(contentsOf: Data((text + "\n").utf8))) != nil
    }

    /// The next line of its standard output; nil where none comes in time.
    func line(within limit: Duration) async throws -> String? {
        let deadline = ContinuousClock.now + limit
        let descriptor = output.fileHandleForReading.fileDescriptor
        while true {
            if let end = unread.firstIndex(of: 0x0A) {
                defer { unread.removeSubrange(...end) }
                return String(decoding: unread[..<end], as: UTF8.self)
            }
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&request, 1, 0) > 0 {
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = read(descriptor, &buffer, buffer.count)
                guard count > 0 else { return nil }
                unread += buffer[..<count]
                continue
            }
            guard .now < deadline else { return nil }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
