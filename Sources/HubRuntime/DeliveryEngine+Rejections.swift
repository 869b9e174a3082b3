import HubDelivery
import HubModel
import Logging
import Synchronization

extension DeliveryEngine {
    /// Says what the application refused, a line for each rule and minute: people read the rest in the store.
    func tellRejections(in replies: [(DeliveryCall, DeliveryReply)], now: Instant) {
        for case (let call, .answer(.rejected(let rejection))) in replies {
            guard state.withLock({ $0.rejections.tells(call.entity, rule: rejection.rule, now: now) }) else { continue }
            let field = rejection.field.map { ", field \($0)" } ?? ""
            hub.logger.notice(
                """
                \(application) refuses \(call.target) (\(call.entity), version \(call.version)) by its rule \(rejection.rule)\(field): \
                \(rejection.text.prefix(Self.textLimit)); multipoint rejections lists what it refuses
                """)
        }
    }

    /// Says how many refusals have not been told one by one.
    func tellUntoldRejections(now: Instant) {
        for (subject, count) in state.withLock({ $0.rejections.due(now: now) }) {
            let what = subject == .others ? "by many rules" : "of \(subject.entity) by its rule \(subject.rule)"
            hub.logger.notice(
                "\(application) refused \(count) more update\(count == 1 ? "" : "s") \(what); multipoint rejections lists what it refuses")
        }
    }

    /// Characters of an application's own words.
    private static let textLimit = 300
}
