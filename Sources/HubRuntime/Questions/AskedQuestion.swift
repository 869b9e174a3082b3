import HubCodec
package import HubDriver
package import HubModel

/// A question that has been asked, and what came of it.
package struct AskedQuestion: Sendable, Hashable {
    package enum Ending: Sendable, Hashable {
        /// The answer's members, and the moment for which they hold.
        case says(Fields, asOf: Instant)
        /// The question is wrong in the application's eyes.
        case refused(Rejection)
        /// Nobody can tell just now; when that was found.
        case cannotSay(reason: String, at: Instant)
    }

    package var application: ApplicationID
    package var function: String
    package var ending: Ending

    package init(application: ApplicationID, function: String, ending: Ending) {
        self.application = application
        self.function = function
        self.ending = ending
    }

    /// For programs: `says` with `asOf`, or `refused`, or `cannotSay` with `at`.
    package var value: Value {
        var fields: Fields = ["application": .string(application.rawValue), "function": .string(function)]
        switch ending {
        case .says(let members, let asOf):
            fields["says"] = .object(members)
            fields["asOf"] = .string(asOf.rfc3339Text)
        case .refused(let rejection):
            fields["refused"] = [
                "rule": .string(rejection.rule), "field": rejection.field.map { .string($0) } ?? .null, "text": .string(rejection.text),
            ]
        case .cannotSay(let reason, let time):
            fields["cannotSay"] = .string(reason)
            fields["at"] = .string(time.rfc3339Text)
        }
        return .object(fields)
    }

    /// Asks a driver, and waits no longer than the deadline.
    package static func ask(
        _ question: Question, of driver: any Driver, _ application: ApplicationID, within deadline: Duration, clock: HubClock
    ) async -> AskedQuestion {
        let (ending, _) = await reply(question, of: driver, application, within: deadline, clock: clock)
        return AskedQuestion(application: application, function: question.function, ending: ending)
    }

    /// The ending, and what failed where something did.
    static func reply(
        _ question: Question, of driver: any Driver, _ application: ApplicationID, within deadline: Duration, clock: HubClock
    ) async -> (Ending, DriverError?) {
        guard let driver = driver as? any Answering else {
            return (.cannotSay(reason: "the driver of \(application) answers no questions", at: clock.now()), nil)
        }
        do throws(DriverError) {
            switch try await Deadline.run(deadline, { () throws(DriverError) in try await driver.answer(question) }) {
            case .says(let fields, let asOf): return (.says(fields, asOf: asOf), nil)
            case .refused(let rejection): return (.refused(rejection), nil)
            case .cannotSay(let reason): return (.cannotSay(reason: reason, at: clock.now()), nil)
            }
        } catch {
            return (.cannotSay(reason: reason(error, application), at: clock.now()), error)
        }
    }

    private static func reason(_ error: DriverError, _ application: ApplicationID) -> String {
        switch error.code {
        case .unreachable: "\(application) cannot be reached: \(error.message)"
        case .noAnswer: "\(application) gave no answer: \(error.message)"
        case .unauthorised: "\(application) refuses the hub's user: \(error.message)"
        default: "\(application): \(error)"
        }
    }
}
