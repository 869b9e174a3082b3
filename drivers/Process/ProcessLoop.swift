import Dispatch
import Foundation
import HubDriver
import HubModel
import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Supervises one driver's process: starts it when there is something to ask, passes calls and answers, and ends it.
///
/// All pipes belong to one thread, which waits in `poll` and never blocks on one of them. Callers meet it in `state`.
final class ProcessLoop: Sendable {
    typealias Outcome = Result<Value, DriverError>
    typealias Caller = CheckedContinuation<Outcome, Never>

    struct State {
        var table: CallTable
        var callers: [Int64: (method: Method, continuation: Caller)] = [:]
        var phase = Phase.down(until: nil, why: nil)
        var restarts: Restarts
        var lastID: Int64 = 0
        /// The handshake of the present process.
        var handshake: Int64?
        var first: First?
        /// When calls under way are no longer waited for; nil while the driver is not being closed.
        var closeBy: ContinuousClock.Instant?
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    enum Phase {
        /// No process; not started before that time, and until then calls are answered with the reason.
        case down(until: ContinuousClock.Instant?, why: DriverError?)
        /// The handshake is under way.
        case starting
        case up
        case closed
    }

    /// The first description, which every later process has to repeat.
    struct First {
        var value: Value
        var description: Description
    }

    let launch: Launch
    let logger: Logger
    let state: Mutex<State>
    private let wake: WakePipe
    private let firstOutcome = Mutex<Result<Description, DriverError>?>(nil)
    private let firstDone = DispatchSemaphore(value: 0)

    init(_ launch: Launch, logger: Logger) throws(DriverError) {
        guard let wake = WakePipe() else { throw DriverError(.unreachable, "no pipe could be made: too many files are open") }
        self.launch = launch
        self.logger = logger
        self.wake = wake
        state = Mutex(State(table: CallTable(bounds: launch.bounds.calls), restarts: launch.bounds.restarts))
    }

    /// Starts the process and waits for its description, at most the start time: blocks.
    func start() throws(DriverError) -> Description {
        let thread = Thread { [self] in run() }
        thread.name = "process \(launch.application)"
        thread.stackSize = 8 << 20
        thread.start()
        firstDone.wait()
        return try (firstOutcome.withLock { $0 } ?? .failure(closedError)).get()
    }

    private var closedError: DriverError { DriverError(.unreachable, "the driver of \(launch.application) has been closed") }

    // MARK: For callers

    /// Asks the process.
    func call(_ method: Method, _ params: Fields, limit: Duration) async -> Outcome {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let line = Questions.line(id, method, params)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if let refusal = admit(id, method, line, limit, continuation) {
                    continuation.resume(returning: .failure(refusal))
                } else if Task.isCancelled {
                    cancel(id)
                } else {
                    wake.ring()
                }
            }
        } onCancel: {
            cancel(id)
        }
    }

    /// Why the call cannot even wait; nil where it does.
    private func admit(_ id: Int64, _ method: Method, _ line: [UInt8], _ limit: Duration, _ caller: Caller) -> DriverError? {
        let now = ContinuousClock.now
        return state.withLock { state in
            switch state.phase {
            case _ where state.closeBy != nil: return closedError
            case .closed: return closedError
            case .down(let until?, let why?) where now < until: return why
            case .down, .starting, .up: break
            }
            guard state.table.add(id, line: line, limit: now + limit) else {
                return DriverError(.unreachable, "\(what) has more calls to do than may wait; this one was never sent")
            }
            state.callers[id] = (method, caller)
            return nil
        }
    }

    private func cancel(_ id: Int64) {
        let now = ContinuousClock.now
        let ended = state.withLock { state -> (Method, Caller, CallTable.Fate)? in
            guard let fate = state.table.giveUp(id, now: now), let caller = state.callers.removeValue(forKey: id) else { return nil }
            return (caller.method, caller.continuation, fate)
        }
        guard let (method, caller, fate) = ended else { return }
        caller.resume(returning: .failure(error(fate, method, "the call was called off")))
        wake.ring()
    }

    /// Begins to end the process; nobody waits for it.
    func shutDown() {
        beginClosing()
        wake.ring()
    }

    private func beginClosing() {
        let deadline = ContinuousClock.now + launch.bounds.grace
        state.withLock { $0.closeBy = $0.closeBy ?? deadline }
    }

    /// Lets the calls under way end for a while, then ends the process: end of input, then SIGTERM, then SIGKILL.
    func close() async {
        beginClosing()
        await withCheckedContinuation { continuation in
            let isClosed = state.withLock { state in
                if case .closed = state.phase { return true }
                state.closers.append(continuation)
                return false
            }
            if isClosed { continuation.resume() } else { wake.ring() }
        }
    }

    // MARK: The thread

    private func run() {
        // A process that has ended must be an error of the write, not a signal that ends the hub.
        var pipeSignal = sigset_t()
        sigemptyset(&pipeSignal)
        sigaddset(&pipeSignal, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipeSignal, nil)
        // The first start is for the description.
        var isFirst = true
        while state.withLock({ $0.closeBy == nil }) {
            let now = ContinuousClock.now
            let mayStart = state.withLock { state in
                guard case .down(let until, _) = state.phase else { return false }
                return isFirst || (!state.table.isEmpty && until.map { $0 <= now } ?? true)
            }
            if mayStart {
                live()
                isFirst = false
            } else {
                wake.wait(milliseconds: 1000)
            }
        }
        let rest = state.withLock { state in
            defer { state.closers = [] }
            state.phase = .closed
            return state.closers
        }
        resume("the driver is closing")
        tellFirst(.failure(closedError))
        for closer in rest { closer.resume() }
    }

    /// One process, from its start to its end.
    private func live() {
        let began = ContinuousClock.now
        let child: ChildProcess
        do throws(ChildProcess.StartError) {
            child = try ChildProcess(launch.command, environment: launch.environment, folder: launch.folder)
        } catch {
            ended(began, .init(.configuration, "the driver's process of \(launch.application): \(error.reason)"))
            return
        }
        let handshake = state.withLock { state in
            state.lastID += 1
            state.phase = .starting
            state.handshake = state.lastID
            // Whatever waits, waits for the description.
            state.table.bounds.calls = 1
            let line = Questions.line(
                state.lastID, .describe,
                [
                    "protocol": .number(Number(Description.protocolVersion)), "application": .string(launch.application),
                    "settings": .object(Fields(launch.settings.map { ($0.key, .string($0.value)) })),
                    "companies": .object(Fields(launch.companies.map { ($0.key, .string($0.value)) })),
                ])
            state.table.addFirst(state.lastID, line: line, limit: began + launch.bounds.start)
            return state.lastID
        }
        var conversation = Conversation(child: child, launch: launch, logger: logger)
        let end = talk(&conversation, handshake)
        if let end { ended(began, end, conversation.lastWords) } else { resume("the driver is closing") }
        conversation.finish(isAtOnce: end != nil)
    }

    /// Passes calls and answers until the process has to end.
    /// - Returns: what went wrong; nil where the hub is closing.
    private func talk(_ conversation: inout Conversation, _ handshake: Int64) -> DriverError? {
        while true {
            let now = ContinuousClock.now
            if state.withLock({ state in state.closeBy.map { state.table.isEmpty || $0 <= now } ?? false }) { return nil }
            if let error = expire(now, handshake) { return error }
            let timeout = state.withLock { state in
                let settle = state.first?.description.manifest.settleTime ?? .zero
                let next = [state.table.nextLimit, state.table.hangs(after: settle)].compactMap { $0 }.min()
                return next.map { Int(max(0, min(500, (now.duration(to: $0)).milliseconds + 1))) } ?? 500
            }
            let isWriting = state.withLock { $0.table.next != nil }
            conversation.wait(wake, milliseconds: timeout, forWriting: isWriting)
            // Answers first: one that has come before an end of the process counts.
            while let line = conversation.nextLine() {
                if let fault = received(line) { return fault }
            }
            if conversation.isTooLong { return violation("wrote a line longer than \(launch.bounds.lineBytes) bytes") }
            if let ending = conversation.ended() { return DriverError(.unreachable, "\(what) \(ending)") }
            if let closed = conversation.closedPipe { return violation("has closed its standard \(closed) and goes on without") }
            write(&conversation)
        }
    }

    private func write(_ conversation: inout Conversation) {
        let now = ContinuousClock.now
        state.withLock { state in
            // Writing to a pipe that does not block, under the lock: what has been written and what is noted as written are never apart.
            while let bytes = state.table.next, let count = conversation.write(bytes), count > 0 { state.table.wrote(count, now: now) }
        }
    }

    /// Ends calls whose time is over; an error where the process has to end for it.
    private func expire(_ now: ContinuousClock.Instant, _ handshake: Int64) -> DriverError? {
        let (expired, hangs) = state.withLock { state in
            let expired = state.table.expire(now: now).map { call in (call, state.callers.removeValue(forKey: call.id)) }
            let settle = state.first?.description.manifest.settleTime ?? .zero
            return (expired, state.table.hangs(after: settle).map { $0 <= now } ?? false)
        }
        var isMute = false
        for ((id, fate), caller) in expired {
            if id == handshake { isMute = true }
            guard let caller else { continue }
            let words =
                fate == .maybeDone ? "gave no answer to \(caller.method.rawValue) in time" : "was busy with other calls for too long"
            caller.continuation.resume(returning: .failure(error(fate, caller.method, "\(what) \(words)")))
        }
        if isMute { return violation("did not describe itself within \(launch.bounds.start)") }
        return hangs ? violation("hangs: it has not answered any more, also not after the settle time") : nil
    }

    /// Takes a line from the process; an error where it breaks the protocol.
    private func received(_ line: [UInt8]) -> DriverError? {
        if line.isEmpty { return nil }
        let response: Response
        do throws(Response.Unreadable) { response = try Response(line) } catch {
            return violation("wrote a line that is no answer (\(error.reason)): \(excerpt(line))")
        }
        let now = ContinuousClock.now
        let (verdict, caller, isHandshake) = state.withLock { state in
            let verdict = state.table.answered(response.id, now: now)
            let caller = verdict == .awaited ? state.callers.removeValue(forKey: response.id) : nil
            return (verdict, caller, state.handshake == response.id)
        }
        switch verdict {
        case .awaited where isHandshake: return described(response.result)
        case .awaited:
            caller?.continuation.resume(returning: response.result)
            return nil
        case .late:
            logger.debug("\(what) answered call \(response.id) after its caller had given up")
            return nil
        case .again: return violation("answered call \(response.id) twice: \(excerpt(line))")
        case .foreign: return violation("answered a call that it was never given (\(response.id)): \(excerpt(line))")
        }
    }

    /// The process has described itself: it may be asked, unless it is not what it was.
    private func described(_ result: Outcome) -> DriverError? {
        let value: Value
        switch result {
        case .success(let answered): value = answered
        case .failure(let error): return DriverError(error.code, "\(what) refuses to describe itself: \(error.message)")
        }
        if let first = state.withLock({ $0.first }) {
            guard first.value == value else {
                return DriverError(
                    .configuration,
                    "\(what) describes itself otherwise than when the hub was started; restart the hub to go by the new description")
            }
            state.withLock { state in
                state.phase = .up
                state.table.bounds.calls = first.description.manifest.limits.concurrentCalls
            }
            logger.notice("\(what) has been started again")
            return nil
        }
        do throws(DriverError) {
            let description = try Description(value)
            state.withLock { state in
                state.first = First(value: value, description: description)
                state.phase = .up
                state.table.bounds.calls = description.manifest.limits.concurrentCalls
            }
            tellFirst(.success(description))
            return nil
        } catch {
            return DriverError(error.code, "\(what): \(error.message)")
        }
    }

    func tellFirst(_ outcome: Result<Description, DriverError>) {
        let isNew = firstOutcome.withLock { known in
            defer { known = known ?? outcome }
            return known == nil
        }
        if isNew { firstDone.signal() }
    }
}
