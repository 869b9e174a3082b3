import GRDB
import GRDBSQLite

extension StoreError {
    /// What a result code of SQLite means for the hub, and what a person can do about it.
    init(sqlite code: Int32, _ text: String, file: String?) {
        let file = file ?? "the store"
        switch code & 0xFF {
        case SQLITE_FULL:
            self.init(.full, "No room left for \(file) (\(text)). Nothing is lost; make room on the disk and start the hub again.")
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            self.init(
                .corrupt,
                "\(file) is not a store of the hub, or is damaged (\(text)). Move it away and restore the newest backup, or name another file."
            )
        case SQLITE_BUSY, SQLITE_LOCKED:
            self.init(.failed, "\(file) is being written by another program (\(text)). End that program.")
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_CANTOPEN, SQLITE_AUTH:
            self.init(
                .failed, "\(file) cannot be opened or written (\(text)). Check that it and its folder exist and belong to the hub's user.")
        default:
            self.init(.failed, "\(file): SQLite answered \(code), \(text).")
        }
    }

    /// From what GRDB throws while it opens or closes.
    init(_ error: any Error, file: String) {
        if let error = error as? StoreError {
            self = error
        } else if let error = error as? DatabaseError {
            self.init(sqlite: error.extendedResultCode.rawValue, error.message ?? "no words", file: file)
        } else {
            self.init(.failed, "\(file): \(error)", cause: error)
        }
    }
}
