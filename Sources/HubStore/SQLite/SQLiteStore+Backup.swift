import Foundation
import GRDB
import HubModel

extension SQLiteStore {
    /// A consistent copy, made by a connection of its own while the hub writes; an existing file is never overwritten.
    package func backup(to destination: String) throws(StoreError) {
        try Self.backup(path, to: destination)
    }

    /// ``backup(to:)`` of a file, whether or not a hub runs on it. The copy has its name only once it is whole and on the disk.
    package static func backup(_ path: String, to destination: String) throws(StoreError) {
        let part = "\(destination).part-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        guard !FileManager.default.fileExists(atPath: destination) else { throw exists(destination) }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        let database = try DatabaseQueue.opened(path, configuration)
        defer {
            try? database.close()
            unlink(part)
        }
        let connection = SQLConnection(try database.handle(), counter: StatementCounter())
        try database.withConnection { () throws(StoreError) in
            defer { connection.close() }
            try StoreSchema.current.check(connection, path: path, mustExist: true)
            try connection.run("VACUUM INTO ?", .text(part))
        }
        try sync(part)
        // A link, unlike a rename, fails where something has that name by now.
        guard link(part, destination) == 0 else {
            if errno == EEXIST { throw exists(destination) }
            throw StoreError(.failed, "\(destination) cannot be made (\(String(cString: strerror(errno)))).")
        }
        let folder = (destination as NSString).deletingLastPathComponent
        try sync(folder.isEmpty ? "." : folder)
    }

    private static func exists(_ destination: String) -> StoreError {
        StoreError(.failed, "There is a file \(destination) already; backups are never overwritten. Name another one.")
    }

    private static func sync(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { if descriptor >= 0 { Foundation.close(descriptor) } }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw StoreError(.failed, "\(path) cannot be brought to the disk (\(String(cString: strerror(errno)))).")
        }
    }
}
