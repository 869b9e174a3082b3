import HubDriver
import HubModel

/// Why a delivery does not end as written.
enum ApplyFailure: Error, Sendable {
    /// Odoo's answer, or its absence.
    case odoo(OdooFailure)
    /// A rule of the driver's, before Odoo was asked.
    case broken(Broken)
    /// An end of its own.
    case answer(Answer)

    /// The failure of a question: without an answer nothing has happened either, as where it never arrived.
    static func question(_ failure: OdooFailure) -> ApplyFailure {
        switch failure {
        case .noAnswer(let text), .unusable(let text): .odoo(.unreachable(text))
        default: .odoo(failure)
        }
    }
}

/// What one delivery has done so far: after a first effect a failure cannot say any more that nothing happened.
struct Progress: Sendable {
    var hasEffect = false

    /// The answer that a failure means; nil where the call never arrived and the batch may say so.
    func answer(_ failure: ApplyFailure) -> Answer? {
        switch failure {
        case .answer(let answer): return answer
        case .broken(let broken): return .rejected(broken.rejection)
        case .odoo(let failure):
            switch failure {
            case .noAnswer(let text), .unusable(let text): return .noAnswer(reason: text)
            case .unreachable(let text), .unauthorised(let text): return hasEffect ? .noAnswer(reason: text) : nil
            case .busy(let after, let text): return hasEffect ? .noAnswer(reason: text) : .later(after: after, reason: text)
            case .refused(let refusal):
                let rejection = refusal.rejection
                if hasEffect { return .noAnswer(reason: "half done, then refused: \(rejection)") }
                // Odoo rolled its transaction back; an error of its own program may pass.
                return rejection.rule == "server-error" ? .retry(after: .seconds(1), reason: "\(refusal)") : .rejected(rejection)
            }
        }
    }
}
