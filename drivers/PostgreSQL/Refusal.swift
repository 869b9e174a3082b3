import HubDriver
import HubModel
import PostgresClient

/// What the database's refusals mean to the hub.
enum Refusal {
    /// Nothing is wrong with the delivery: somebody held a row, the server was stopped in the work or had no room.
    static func isPassing(_ error: PostgresError) -> Bool {
        switch error.state {
        case .lockTimeout?, .cancelled?: true
        default: ["53", "57", "58"].contains(error.state?.group)
        }
    }

    /// A rule that a person can mend. The text begins with the constraint's name where there is one.
    static func rejection(_ error: PostgresError, _ shape: TableShape?) -> Rejection {
        let rule: String
        switch error.state {
        case .unique?: rule = "unique"
        case .foreignKey?: rule = "foreign-key"
        case .check?: rule = "check"
        case .notNull?: rule = "not-null"
        case .exclusion?: rule = "exclusion"
        case .privilege?: rule = "permission"
        case SQLState("P0000")?: rule = "suppressed"
        case let state?:
            switch state.group {
            case "22": rule = "invalid-value"
            case "P0": rule = "raised"
            default: rule = "refused"
            }
        case nil: rule = "refused"
        }
        let field = error.column ?? error.constraint.flatMap { shape?.constraints[$0] }
        let words = [error.message, error.detail, error.hint].compactMap { $0 }.joined(separator: " ")
        let code = rule == "refused" ? error.state.map { " (\($0))" } ?? "" : ""
        return Rejection(rule: rule, field: field, text: (error.constraint.map { $0 + ": " } ?? "") + words + code)
    }
}
