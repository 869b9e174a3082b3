import CPostgres

/// Copying in both directions, which is how the replication protocol streams.
extension PostgresConnection {
    /// Sends a command whose answer is a stream in both directions.
    func beginCopy(_ command: String) throws(PostgresError) {
        guard PQsendQuery(handle, command) == 1 else { throw broken() }
        guard let raw = try next() else { throw broken() }
        let result = PostgresResult(raw)
        let isCopying = withExtendedLifetime(result) { PQresultStatus(raw) == PGRES_COPY_BOTH }
        guard !isCopying else { return }
        let refusal = withExtendedLifetime(result) { error(raw) }
        while let further = try next() { PQclear(further) }
        throw refusal
    }

    /// Why a stream has ended.
    func endOfCopy() -> PostgresError {
        guard let raw = PQgetResult(handle) else { return broken() }
        let result = PostgresResult(raw)
        let ended = withExtendedLifetime(result) { error(raw) }
        return ended.message.isEmpty ? PostgresError(.lost, "The server has ended the stream.") : ended
    }

    /// Sends to the server while it streams. What does not go out at once goes out with the next wait.
    func sendCopy(_ bytes: [UInt8]) throws(PostgresError) {
        let sent = bytes.withUnsafeBytes { raw in
            PQputCopyData(handle, raw.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(raw.count))
        }
        guard sent >= 0, PQflush(handle) >= 0 else { throw broken() }
    }

    /// Takes in what has arrived, without waiting.
    func takeIn() throws(PostgresError) {
        guard PQconsumeInput(handle) == 1 else { throw broken() }
    }

    /// Asks the server to give up what it is doing for this connection. Blocks.
    func cancel() {
        guard let request = PQgetCancel(handle) else { return }
        PQcancel(request, nil, 0)
        PQfreeCancel(request)
    }

    /// A name as SQL has it, whatever stands in it.
    package static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
