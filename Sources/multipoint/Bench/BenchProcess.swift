import Foundation

/// This executable as a process of its own, so that what it takes does not count for the hub.
struct BenchProcess {
    let process = Process()
    /// Ends with this process, however that ends.
    private let input = Pipe()

    init(_ arguments: [String], output: Pipe? = nil) throws {
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output ?? FileHandle.nullDevice
        try process.run()
    }

    func end() {
        process.terminate()
        process.waitUntilExit()
    }
}
