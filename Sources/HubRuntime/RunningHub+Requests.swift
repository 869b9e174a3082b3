import HubConfiguration
import HubDriver
import HubModel
import HubRules
import Logging

extension RunningHub {
    /// Carries out what only the running hub can; nil for requests that are the store's.
    func carryOut(_ command: OperatorRequest.Command) async -> OperatorRequests.Reply? {
        switch command {
        case .reload:
            // It waits for workers to end, which a thread of the pool must not.
            return await withCheckedContinuation { continuation in
                _ = Worker("reload") { continuation.resume(returning: self.reload()) }
            }
        case .discover(let application): return await discover(application)
        default: return nil
        }
    }

    private func discover(_ application: ApplicationID) async -> OperatorRequests.Reply {
        guard let driver = driver(application) else {
            return .init(isDone: false, text: "the running hub has no application \(application); it goes by what it read last")
        }
        guard let able = driver as? any Discovering else {
            return .init(isDone: false, text: "the driver of \(application) cannot say what it holds")
        }
        do throws(DriverError) {
            let result = try await discover(application, able)
            let held = result.stops.filter(\.value.holdsDeliveries).keys.sorted().map(\.rawValue)
            var text =
                held.isEmpty ? "nothing of \(application) is held back" : "held back at \(application): \(held.joined(separator: ", "))"
            if !result.lifted.isEmpty { text += "; goes on: \(result.lifted.map(\.rawValue).joined(separator: ", "))" }
            return .init(isDone: true, text: text)
        } catch {
            return .init(isDone: false, text: "\(application): \(error)")
        }
    }

    /// A reload that nobody waits for.
    func logReload() {
        let reply = reload()
        if reply.isDone {
            logger.notice("\(reply.text)")
        } else {
            logger.error("the configuration is not reloaded, and all goes on as before: \(reply.text)")
        }
    }
}
