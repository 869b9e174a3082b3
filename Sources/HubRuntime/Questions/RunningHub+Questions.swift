import HubDriver
package import HubModel
import HubStore

extension RunningHub {
    /// How long a question waits for its answer where nobody says.
    package static let questionDeadline: Duration = .seconds(3)
    /// The longest that a question may wait.
    package static let longestQuestionDeadline: Duration = .seconds(60)

    /// Asks an application, beside the way of deliveries: one that is known to be out of reach is not waited for.
    ///
    /// - Throws: ``QuestionMistake`` where the question cannot be asked at all.
    package func ask(
        _ application: ApplicationID, _ function: String, _ arguments: Fields, within deadline: Duration = RunningHub.questionDeadline
    ) async throws(QuestionMistake) -> AskedQuestion {
        let form = try QuestionForm(plan: plan, application: application, function: function)
        let filled: Result<Question, QuestionMistake>
        do throws(StoreError) {
            filled =
                form.needsLinks(arguments)
                ? try await store.perform { store in try form.question(arguments, in: store) }
                : try form.question(arguments, in: nil)
        } catch {
            return AskedQuestion(
                application: application, function: function,
                ending: .cannotSay(reason: "the hub's store cannot be read: \(error.message)", at: clock.now()))
        }
        let question = try filled.get()
        guard let ending = await engine(application)?.ask(question, within: deadline) else {
            guard let driver = driver(application) else {
                throw QuestionMistake(.unknown, nil, "\(application) has no driver here")
            }
            return await AskedQuestion.ask(question, of: driver, application, within: deadline, clock: clock)
        }
        return AskedQuestion(application: application, function: function, ending: ending)
    }
}
