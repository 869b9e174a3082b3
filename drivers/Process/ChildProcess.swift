import CSpawn
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One process of the operating system, with pipes to its standard input, output and error; confined to the thread that owns it.
///
/// Made by `posix_spawn` rather than Foundation's `Process`, because a driver must not inherit which signals the hub ignores: a child that
/// ignores SIGTERM could only be killed. It leads a process group of its own, so that a Ctrl-C meant for the hub leaves it to the hub,
/// and its own children end with it.
struct ChildProcess: ~Copyable {
    let pid: pid_t
    /// Does not block.
    private(set) var input: Int32
    /// Does not block.
    let output: Int32
    /// Does not block.
    let errors: Int32
    private var ending: String?

    /// Why a process could not be started.
    struct StartError: Error {
        var reason: String
    }

    /// - Parameters:
    ///   - command: the program, looked for on the `PATH` unless it contains a slash, and its arguments.
    ///   - environment: all of it; nothing of the hub's own is added.
    ///   - folder: where it starts, which is also what a program with a slash counts from; nil: where the hub did.
    init(_ command: [String], environment: [String: String], folder: String?) throws(StartError) {
        guard let program = command.first, !program.isEmpty else { throw StartError(reason: "there is no command") }
        for text in command + environment.map({ "\($0)=\($1)" }) where text.utf8.contains(0) {
            throw StartError(reason: "a NUL character cannot be part of a command or its environment")
        }
        if let folder {
            var isFolder = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder else {
                throw StartError(reason: "there is no folder \(folder)")
            }
        }
        var pipes: [(read: Int32, write: Int32)] = []
        for _ in 0..<3 {
            var ends: [Int32] = [-1, -1]
            guard cspawn_pipe(&ends) == 0 else {
                let reason = String(cString: strerror(errno))
                for pipe in pipes { Self.close([pipe.read, pipe.write]) }
                throw StartError(reason: "no pipe could be made: \(reason)")
            }
            pipes.append((ends[0], ends[1]))
        }
        let (code, child) = Self.spawn(
            command, environment, folder, input: pipes[0].read, output: pipes[1].write, errors: pipes[2].write)
        Self.close([pipes[0].read, pipes[1].write, pipes[2].write])
        guard code == 0 else {
            Self.close([pipes[0].write, pipes[1].read, pipes[2].read])
            throw StartError(reason: "\(program) cannot be started: \(String(cString: strerror(code)))")
        }
        pid = child
        input = pipes[0].write
        output = pipes[1].read
        errors = pipes[2].read
        for descriptor in [input, output, errors] { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }
    }

    deinit {
        if ending == nil {
            kill(-pid, SIGKILL)
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        }
        Self.close([input, output, errors])
    }

    private static func close(_ descriptors: [Int32]) {
        for descriptor in descriptors where descriptor >= 0 {
            #if canImport(Glibc)
                _ = Glibc.close(descriptor)
            #elseif canImport(Musl)
                _ = Musl.close(descriptor)
            #else
                _ = Darwin.close(descriptor)
            #endif
        }
    }

    /// - Returns: 0 and the child, or the error's number.
    private static func spawn(
        _ command: [String], _ environment: [String: String], _ folder: String?, input: Int32, output: Int32, errors: Int32
    ) -> (code: Int32, pid: pid_t) {
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.sorted { $0.key < $1.key }.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        var child: pid_t = 0
        let code = cspawn_start(&child, &arguments, &variables, folder, input, output, errors)
        return (code, child)
    }

    /// Sends a signal to it and to its children.
    func signal(_ number: Int32) {
        // Until it has been reaped, its number is nobody else's.
        if ending == nil { _ = kill(-pid, number) }
    }

    /// Says by end of file that nothing more comes.
    mutating func closeInput() {
        Self.close([input])
        input = -1
    }

    /// How it ended, for people; nil while it runs. What it has started itself and left behind is killed.
    mutating func ended() -> String? {
        if let ending { return ending }
        var information = siginfo_t()
        guard waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) == 0, information.si_signo == SIGCHLD else { return nil }
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        ending = signal == 0 ? "ended with exit code \((status >> 8) & 0xFF)" : "was ended by signal \(signal)"
        return ending
    }
}
