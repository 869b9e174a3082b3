#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Files that are there whole or not at all, also after a power cut. Every call blocks until the disk has it.
package enum DurableFile {
    /// What could not be done with a file.
    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        package var description: String
        /// The system's number of the error.
        package var number: Int32

        /// There is no such file.
        package var isMissing: Bool { number == ENOENT }

        /// With what the system just said.
        package init(_ attempt: String) {
            number = errno
            description = "\(attempt): \(String(cString: strerror(number)))"
        }
    }

    /// Puts a file in the place of the one that was there, under the same name.
    package static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
        let part = path + ".part"
        try make(part, holding: bytes)
        try move(part, to: path)
    }

    /// Writes a file and brings it to the disk. Its name is on the disk only after ``syncFolder(of:)``.
    package static func make(_ path: String, holding bytes: [UInt8]) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure("\(path) cannot be made") }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let failure = Failure("\(path) cannot be written")
                close(descriptor)
                throw failure
            }
            written += count
        }
        let isSynced = fsync(descriptor) == 0
        let failure = Failure("\(path) cannot be brought to the disk")
        guard close(descriptor) == 0, isSynced else { throw failure }
    }

    /// Gives a file another name in the same file system, in one step, and brings both folders to the disk.
    package static func move(_ path: String, to destination: String) throws(Failure) {
        guard rename(path, destination) == 0 else { throw Failure("\(path) cannot become \(destination)") }
        try syncFolder(of: destination)
        if folder(of: path) != folder(of: destination) { try syncFolder(of: path) }
    }

    /// Brings the names in a file's folder to the disk.
    package static func syncFolder(of path: String) throws(Failure) {
        let folder = folder(of: path)
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure("\(folder) cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Failure("\(folder) cannot be brought to the disk") }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
