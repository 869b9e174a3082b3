import HubDriver
import HubModel
import Logging
import Synchronization

extension ProcessLoop {
    /// The process is no more, or will be at once: its calls end, and the next one is started after a while.
    func ended(_ began: ContinuousClock.Instant, _ error: DriverError, _ lastWords: [String] = []) {
        let now = ContinuousClock.now
        let words = lastWords.isEmpty ? "" : "; its last words: \(lastWords.joined(separator: " | "))"
        let whole = DriverError(error.code, error.message + words)
        let delay = state.withLock { state -> Duration in
            let delay = state.restarts.ended(after: began.duration(to: now), jitter: Double.random(in: 0..<1))
            // A call that comes now has no effect whatever the process did wrong before.
            let code: DriverError.Code = error.code == .configuration || error.code == .unauthorised ? error.code : .unreachable
            state.phase = .down(
                until: now + delay, why: DriverError(code, "\(whole.message); it is started again after \(delay.milliseconds) ms"))
            return delay
        }
        if state.withLock({ $0.first }) != nil {
            logger.error("\(whole.message); it is started again when it is needed, not before \(delay.milliseconds) ms")
        }
        resume(whole.message)
        tellFirst(.failure(whole))
    }

    /// Ends every call.
    func resume(_ reason: String) {
        let ended = state.withLock { state in
            state.handshake = nil
            return state.table.drain().map { call in (call.fate, state.callers.removeValue(forKey: call.id)) }
        }
        for (fate, caller) in ended {
            guard let caller else { continue }
            caller.continuation.resume(returning: .failure(error(fate, caller.method, reason)))
        }
    }

    var what: String { "the driver's process of \(launch.application)" }

    func violation(_ text: String) -> DriverError { DriverError(.protocolViolation, "\(what) \(text)") }

    /// What a caller is told of a call without its answer.
    func error(_ fate: CallTable.Fate, _ method: Method, _ reason: String) -> DriverError {
        switch fate {
        case .neverWritten: DriverError(.unreachable, "\(reason); this \(method.rawValue) was never sent")
        case .maybeDone: DriverError(.noAnswer, "\(reason); this \(method.rawValue) had been sent")
        }
    }
}
