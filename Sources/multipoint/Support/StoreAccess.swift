import Foundation
import HubConfiguration
import HubModel
import HubRules
import HubStore

/// Ways to the store, with and without a running hub.
enum StoreAccess {
    /// Reads one consistent state, whether or not a hub runs.
    static func read<T: Sendable>(
        _ configuration: Configuration, _ body: @escaping @Sendable (any StoreTransaction) throws -> T
    ) async throws(CommandFailure) -> T {
        let path = configuration.storePath
        let server = configuration.storeServer
        do throws(StoreError) {
            return try await Blocking.run { () throws(StoreError) -> T in
                if let server {
                    let reader = try PostgresStoreReader(server.options)
                    defer { reader.close() }
                    return try reader.read(body)
                }
                let reader = try SQLiteStore.openReader(path: path)
                defer { reader.close() }
                return try reader.read(body)
            }
        } catch {
            throw CommandFailure(error)
        }
    }

    /// Carries a request out: by the hub that holds the store, or here where none does.
    ///
    /// - Returns: what was done, in words.
    static func carryOut(_ command: OperatorRequest.Command, _ configuration: Configuration) async throws(CommandFailure) -> String {
        let request = OperatorRequest(command)
        let plan = configuration.plan()
        let path = configuration.storePath
        guard configuration.storeServer != nil || FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure(.unreachable, "there is no store at \(path) yet; start the hub first")
        }
        do throws(StoreError) {
            return try await Blocking.run { () throws(StoreError) -> String in
                let store = try open(configuration)
                defer { store.close() }
                return try store.write { transaction in
                    try request.apply(to: transaction, plan: plan, now: .now)
                }
            }
        } catch {
            guard error.code == .held else { throw CommandFailure(error) }
        }
        return try await ask(request, configuration.requests)
    }

    /// Long enough for workers to end and for an application to say what it holds.
    private static let hubPatience: Duration = .seconds(90)

    /// Asks the running hub for what only it can do.
    static func askHub(_ command: OperatorRequest.Command, _ configuration: Configuration) async throws(CommandFailure) -> String {
        guard let reply = try await askHubIfAny(command, configuration) else {
            throw CommandFailure(.unreachable, "no hub is running with the store of \(configuration.file)")
        }
        return reply
    }

    /// Asks the running hub; nil where none holds the store.
    static func askHubIfAny(_ command: OperatorRequest.Command, _ configuration: Configuration) async throws(CommandFailure) -> String? {
        guard configuration.storeServer != nil || FileManager.default.fileExists(atPath: configuration.storePath) else { return nil }
        do throws(StoreError) {
            try await Blocking.run { () throws(StoreError) in try open(configuration).close() }
            return nil
        } catch {
            guard error.code == .held else { throw CommandFailure(error) }
        }
        return try await ask(OperatorRequest(command), configuration.requests, within: hubPatience)
    }

    private static func ask(
        _ request: OperatorRequest, _ requests: OperatorRequests, within limit: Duration = .seconds(10)
    ) async throws(CommandFailure) -> String {
        do {
            try requests.submit(request)
        } catch {
            throw CommandFailure(.unreachable, "the request cannot be left in \(requests.folder): \(error)")
        }
        var reply = await requests.reply(of: request.id, within: limit)
        if reply == nil, !requests.withdraw(request.id) {
            // The hub took it up just now: its answer is about to come.
            reply = await requests.reply(of: request.id, within: .seconds(2))
            if reply == nil { throw CommandFailure(.unreachable, "the hub has taken the request up, but not answered; look at its log") }
        }
        guard let reply else {
            throw CommandFailure(
                .unreachable,
                "the hub that holds the store has not answered within \(limit.components.seconds) s; the request was taken back")
        }
        guard reply.isDone else { throw CommandFailure(.notWell, reply.text) }
        return reply.text
    }

    /// Opens the store for a change that no running hub can make.
    static func openAlone(_ configuration: Configuration) throws(CommandFailure) -> any Store {
        do throws(StoreError) {
            return try open(configuration)
        } catch {
            guard error.code == .held else { throw CommandFailure(error) }
            throw CommandFailure(.unreachable, error.message)
        }
    }

    /// Opens the store of that configuration, a file or a server.
    static func open(_ configuration: Configuration) throws(StoreError) -> any Store {
        guard let server = configuration.storeServer else { return try SQLiteStore(path: configuration.storePath) }
        var options = server.options
        options.lockPath = configuration.storePath
        return try PostgresStore(options)
    }
}

extension Configuration.StoreServer {
    var options: PostgresStoreOptions { PostgresStoreOptions(connection, password: password) }
}

extension Instant {
    static var now: Instant { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
}
