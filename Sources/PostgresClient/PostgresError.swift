/// What PostgreSQL, or the way to it, said no to.
package struct PostgresError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// No connection could be made; nothing has happened.
        case unreachable
        /// The connection broke. An open transaction is gone; one whose COMMIT had been sent may have been kept.
        case lost
        /// The server refused a statement; the transaction that it stood in keeps nothing.
        case statement
        /// The client refused before anything was sent.
        case usage
        /// The call waited for a free connection until its time was over; nothing was sent.
        case late
    }

    package var kind: Kind
    /// The server's five letters; nil where the server did not speak.
    package var state: SQLState?
    package var message: String
    package var detail: String?
    package var hint: String?
    package var schema: String?
    package var table: String?
    package var column: String?
    package var constraint: String?

    package init(_ kind: Kind, _ message: String, state: SQLState? = nil) {
        self.kind = kind
        self.message = message
        self.state = state
    }

    package var description: String {
        message + (state.map { " (\($0))" } ?? "") + (detail.map { " " + $0 } ?? "")
    }
}

/// A code of the SQL standard's five letters, the first two of which are its class.
package struct SQLState: Sendable, Hashable, CustomStringConvertible {
    package var description: String

    package init(_ code: String) { description = code }

    /// `23`: integrity constraints; `40`: rolled back, try again; `08`: connections.
    package var group: String { String(description.prefix(2)) }

    package static let notNull = SQLState("23502")
    package static let foreignKey = SQLState("23503")
    package static let unique = SQLState("23505")
    package static let check = SQLState("23514")
    package static let exclusion = SQLState("23P01")
    package static let serialisation = SQLState("40001")
    package static let deadlock = SQLState("40P01")
    package static let privilege = SQLState("42501")
    package static let noTable = SQLState("42P01")
    package static let noColumn = SQLState("42703")
    package static let noSchema = SQLState("3F000")
    package static let noCharacter = SQLState("22021")
    package static let lockTimeout = SQLState("55P03")
    package static let cancelled = SQLState("57014")
    package static let readOnly = SQLState("25006")
    package static let wrongPassword = SQLState("28P01")
}

extension PostgresError {
    /// Another try of the same transaction may well succeed: it stood in the way of others, nothing is wrong with it.
    package var isTransient: Bool { kind == .statement && (state == .serialisation || state == .deadlock) }
}
