package import HubConfiguration
import HubModel
package import HubRuntime
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The hub's HTTP listener, from its start to its end. ``start(within:)`` and ``stop(within:)`` block.
package final class HTTPListener: Sendable {
    private let hub: RunningHub
    private let settings: HTTPSettings
    private let logger: Logger
    private let events: EventDesk
    private let state = Mutex(State())
    private let changed = Bell()

    private struct State: Sendable {
        var group: ServiceGroup?
        var task: Task<Void, Never>?
        var port: Int?
        var failure: (any Error)?
        var hasEnded = false
    }

    /// How long clients and Kafka are waited for.
    package struct Patience: Sendable {
        /// A client that is silent, between requests and within one.
        package var idle: Duration = .seconds(15)
        /// A client, with the whole of its body.
        package var body: Duration = .seconds(10)
        /// Kafka, with its word that it has what was posted.
        package var kafka: Duration = .seconds(10)

        package init() {}
    }

    private let patience: Patience
    private static let headerBytes = 16 << 10
    private static let headerCount = 100

    /// - Throws: ``RuntimeError`` where Kafka's producer cannot be made, or the store cannot be read.
    package init(
        hub: RunningHub, settings: HTTPSettings, patience: Patience = Patience(), logger: Logger = Logger(label: "multipoint.http")
    ) throws(RuntimeError) {
        self.hub = hub
        self.patience = patience
        self.settings = settings
        self.logger = logger
        do {
            events = try EventDesk(hub.configuration, bus: hub.bus, store: hub.store, patience: patience.kafka, logger: logger)
        } catch {
            throw RuntimeError(.unreachable, "the HTTP listener cannot start: \(error)")
        }
    }

    /// The port that it listens at; nil before it does.
    package var port: Int? { state.withLock { $0.port } }

    /// Begins to listen.
    ///
    /// - Throws: ``RuntimeError`` where the address cannot be had; ``stop(within:)`` has to be called all the same.
    package func start(within limit: Duration = .seconds(10)) throws(RuntimeError) {
        var silent = logger
        // It tells every start of a service, and a healthy hub logs almost nothing.
        silent.logLevel = max(logger.logLevel, .error)
        let routes = Routes(
            hub: hub, tokens: BearerTokens(tokens: settings.tokens), bodies: BodyReader(limit: settings.bodyBytes, patience: patience.body),
            events: events)
        let http = HTTP1Channel.Configuration(
            idleTimeout: .milliseconds(patience.idle.milliseconds),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Self.headerBytes, maxHeaderListSize: Self.headerBytes, maxHeaderFieldCount: Self.headerCount))
        let application = Application(
            router: routes.router(), server: .http1(configuration: http),
            configuration: Hummingbird.ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port),
                availableConnectionsDelegate: .maximum(settings.connections, logger: silent)),
            onServerRunning: { [weak self] channel in self?.listens(at: channel.localAddress?.port) }, logger: silent)
        let group = ServiceGroup(configuration: .init(services: [.init(service: application)], logger: silent))
        // Owned by this listener, whose end waits for it.
        let task = Task { [weak self] in
            do {
                try await group.run()
                self?.ended(nil)
            } catch {
                self?.ended(error)
            }
        }
        state.withLock { state in
            state.group = group
            state.task = task
        }
        guard wait(until: .now + limit, for: { $0.port != nil || $0.hasEnded }), let port else {
            let reason = state.withLock { $0.failure }.map { "\($0)" } ?? "it did not begin within \(limit)"
            task.cancel()
            throw RuntimeError(.refused, "the HTTP listener cannot listen at \(settings.host):\(settings.port) (http.listen): \(reason)")
        }
        logger.notice("listening at \(settings.host):\(port)")
    }

    /// Takes on no more requests, lets those under way end, and closes.
    package func stop(within limit: Duration = .seconds(5)) {
        let deadline = ContinuousClock.now + limit
        let (group, task) = state.withLock { ($0.group, $0.task) }
        if let group {
            // Ends at once: it only tells the services.
            Task { await group.triggerGracefulShutdown() }
            if !wait(until: deadline, for: { $0.hasEnded }) {
                logger.warning("requests under way did not end in time")
                task?.cancel()
            }
        }
        events.close(until: max(deadline, .now + .seconds(1)))
    }

    private func listens(at port: Int?) {
        state.withLock { $0.port = port ?? settings.port }
        changed.ring()
    }

    private func ended(_ error: (any Error)?) {
        state.withLock { state in
            state.failure = error
            state.hasEnded = true
        }
        changed.ring()
    }

    private func wait(until deadline: ContinuousClock.Instant, for holds: (State) -> Bool) -> Bool {
        while !holds(state.withLock { $0 }) {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return false }
            changed.wait(milliseconds: 100)
        }
        return true
    }
}
