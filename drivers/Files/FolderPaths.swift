import Foundation
import HubDriver
import HubModel

/// Where the driver's folders lie.
struct FolderPaths: Sendable, Hashable {
    /// Where other programs put files for the hub; nil: nowhere.
    var inbound: String?
    /// Where the hub puts files for other programs; nil: nowhere.
    var outbound: String?
    /// Where files that have been read go.
    var archive: String?
    /// The driver's own record.
    var state: String

    /// What the driver keeps in a folder of its own in each of them; its name begins with a dot, so that nobody takes it for a drop.
    private static let own = "/.multipoint"

    /// Files that are being read: what lies here has been taken, and nobody else writes to it.
    var taken: String? { inbound.map { $0 + Self.own + "/taken" } }
    /// Files that are being written.
    var staging: String? { outbound.map { $0 + Self.own + "/staged" } }
    var database: String { state + "/files.db" }

    init?(inbound: String?, outbound: String?, archive: String?, state: String?) {
        guard let first = outbound ?? inbound else { return nil }
        self.inbound = inbound
        self.outbound = outbound
        self.archive = archive ?? inbound.map { $0 + "/archive" }
        self.state = state ?? first + Self.own
    }

    /// Makes the driver's own folders where the shared ones are there.
    ///
    /// - Throws: `unreachable` where one of those is not.
    func prepare() throws(DriverError) {
        for folder in [inbound, outbound].compactMap(\.self) {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
                throw DriverError(.unreachable, "the folder \(folder) is not there; is its file system mounted?")
            }
        }
        for folder in [taken, staging, archive, state].compactMap(\.self) {
            do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
                throw DriverError(.unreachable, "the folder \(folder) cannot be made", cause: error)
            }
        }
    }
}

extension FolderPaths {
    /// Where a file of that number is put, a place where nothing lies: a number comes again where a transaction did not happen, and what
    /// that one took may lie there still.
    static func free(in folder: String, _ number: Int64, _ name: String) -> String {
        var path = "\(folder)/\(number)-\(name)"
        var again = 0
        while FoundFile(name: name, path: path) != nil {
            again += 1
            path = "\(folder)/\(number).\(again)-\(name)"
        }
        return path
    }

    /// The name under which a file was dropped that ``free(in:_:_:)`` has found a place; nil for other files.
    static func dropped(_ name: String) -> String? {
        guard let dash = name.firstIndex(of: "-") else { return nil }
        let numbers = name[..<dash].split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count <= 2, numbers.allSatisfy({ Int64($0) != nil }) else { return nil }
        return String(name[dash...].dropFirst())
    }
}

/// A regular file as it lies in a folder.
struct FoundFile: Sendable, Hashable {
    var name: String
    var path: String
    /// Changes with the file's content: inode, size and time.
    var identity: String
    /// Milliseconds since 1970.
    var changed: Int64

    /// Names that other programs give to files that they are still writing.
    private static let unfinished = [".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~"]

    /// The finished files of a folder, by name.
    static func all(in folder: String) throws -> [FoundFile] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted { $0.precedesInBytes($1) }.compactMap { name in
            guard !name.hasPrefix("."), !unfinished.contains(where: { name.lowercased().hasSuffix($0) }) else { return nil }
            return FoundFile(name: name, path: folder + "/" + name)
        }
    }

    /// Nil where there is no regular file of that name.
    init?(name: String, path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        self.name = name
        self.path = path
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        identity = "\(status.st_ino)/\(status.st_size)/\(time.tv_sec).\(time.tv_nsec)"
        changed = Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// True where a pattern with `*` and `?` names it.
    func matches(_ pattern: String) -> Bool { fnmatch(pattern, name, 0) == 0 }
}
