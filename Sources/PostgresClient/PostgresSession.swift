/// A connection that is made when it is needed, and made anew after it was lost.
package final class PostgresSession {
    private let options: PostgresOptions
    private var held: PostgresConnection?

    package init(_ options: PostgresOptions) { self.options = options }

    /// The connection: the one in use, or a new one. Blocks while it is made.
    package func connection() throws(PostgresError) -> PostgresConnection {
        if let held, !held.isBroken { return held }
        let made = try PostgresConnection(options)
        held = made
        return made
    }

    /// Ends the connection; the next use makes a new one.
    package func drop() {
        held?.close()
        held = nil
    }

    /// Runs statements as one transaction: kept where `body` returns, undone where it throws.
    ///
    /// - Parameter meanwhile: what there is still to do with the value, while the server commits; of no effect on the database.
    /// - Throws: what `body` throws, as the cause; ``TransactionError/isOutcomeUnknown`` where the connection broke in the COMMIT.
    package func transaction<T>(
        _ begin: String = "BEGIN", _ body: (PostgresConnection) throws(PostgresError) -> T, meanwhile: (inout T) -> Void = { _ in }
    ) throws(TransactionError) -> T {
        let connection: PostgresConnection
        do throws(PostgresError) {
            connection = try self.connection()
            try connection.post(begin)
        } catch {
            throw TransactionError(error, isOutcomeUnknown: false)
        }
        var value: T
        do throws(PostgresError) {
            value = try body(connection)
        } catch {
            if !connection.isBroken { _ = try? connection.run("ROLLBACK") }
            throw TransactionError(error, isOutcomeUnknown: false)
        }
        do throws(PostgresError) {
            try connection.send("COMMIT")
            try connection.push()
            meanwhile(&value)
            let results = try connection.receive()
            for case .failure(let error) in results { throw error }
            let tag = try results.last?.get().tag
            guard tag == "COMMIT" else {
                throw PostgresError(.statement, "The transaction was rolled back, since a statement in it had failed.")
            }
            return value
        } catch {
            // A COMMIT that was refused has been rolled back; only one without an answer is in doubt.
            if !connection.isBroken, error.kind == .statement { _ = try? connection.run("ROLLBACK") }
            throw TransactionError(error, isOutcomeUnknown: error.kind == .lost)
        }
    }
}

/// Why a transaction failed, and whether it may have been kept all the same.
package struct TransactionError: Error, Sendable {
    package var cause: PostgresError
    /// The connection broke after COMMIT had been sent.
    package var isOutcomeUnknown: Bool

    package init(_ cause: PostgresError, isOutcomeUnknown: Bool) {
        self.cause = cause
        self.isOutcomeUnknown = isOutcomeUnknown
    }
}
