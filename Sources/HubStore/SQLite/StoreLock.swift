import Foundation

/// One hub per file: a lock on `<file>.lock`, gone with its process, with the holder's name written inside for whoever comes second.
final class StoreLock: Sendable {
    private let descriptor: Int32

    init(of path: String) throws(StoreError) {
        let lockPath = path + ".lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw StoreError(
                .failed, "\(lockPath) cannot be made (\(Self.reason())). Check that the folder exists and belongs to the hub's user.")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let reason = Self.reason()
            let holder = Self.holder(descriptor)
            Foundation.close(descriptor)
            guard isHeld else { throw StoreError(.failed, "\(lockPath) cannot be locked (\(reason)).") }
            throw StoreError(.held, "\(path) is held by another hub: \(holder). End that one first, or name another file.")
        }
        self.descriptor = descriptor
        let start = Date().formatted(.iso8601)
        let text = "process \(getpid()) on \(ProcessInfo.processInfo.hostName), since \(start)\n"
        ftruncate(descriptor, 0)
        _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    /// Gives the lock back. The file stays: removing it would let two hubs hold locks on different files of the same name.
    func release() {
        ftruncate(descriptor, 0)
        Foundation.close(descriptor)
    }

    private static func holder(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return "a process that has not said its name" }
        return String(decoding: bytes.prefix(count), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
