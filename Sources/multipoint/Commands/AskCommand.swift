import ArgumentParser
import Foundation
import HubConfiguration
import HubDriver
import HubModel
import HubRules
import HubRuntime

/// `multipoint ask APP [FUNCTION [key=value…]]`
struct AskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ask",
        abstract: "Asks an application: a price, what is in stock, whether a customer may buy, what is wrong with an order.",
        discussion: """
            Without a function, lists what the application can be asked. A document is named by its id in the hub (customer-1-42), by what \
            the hub matches it by (a code), or as native:KEY by its key in the application. A whole document comes from a file with JSON, - \
            is standard input; its members are the hub's, or, in {"native": {…}}, the application's own. Nothing is written.

              multipoint ask erp
              multipoint ask erp price customer=customer-1-42 product=native:17 quantity=12
              multipoint ask erp validate order=order.json --json

            Exit codes: 0 the application has answered; 1 it cannot say just now; 2 the question is wrong, for the hub or the application.
            """)

    @OptionGroup var configuration: ConfigurationOptions
    @OptionGroup var logging: LoggingOptions

    @Argument(help: "The application, by its name in the configuration.")
    var application: String

    @Argument(help: "The function.")
    var function: String?

    @Argument(help: "parameter=value; may be repeated.")
    var arguments: [String] = []

    @Flag(help: "The answer as one JSON object.")
    var json = false

    @Option(help: "How long to wait: 2s, 1500ms.")
    var deadline = "3s"

    func run() async throws {
        logging.setUp()
        guard let limit = Duration(deadline: deadline) else {
            throw CommandFailure(.wrong, "--deadline \(deadline) \(Duration.deadlineForm)")
        }
        let loaded = try configuration.load()
        try await loaded.closingDrivers { () throws(CommandFailure) in
            guard let function else { return try list(loaded) }
            let asked = try await ask(function, loaded, limit)
            if json { Output.json(asked.value) } else { show(asked) }
            switch asked.ending {
            case .says: break
            case .refused(let rejection): throw CommandFailure(.wrong, json ? "" : "\(application) refuses the question: \(rejection)")
            case .cannotSay(let reason, _): throw CommandFailure(.notWell, json ? "" : "cannot say: \(reason)")
            }
        }
    }

    // MARK: Asking

    private func ask(_ function: String, _ loaded: Configuration, _ limit: Duration) async throws(CommandFailure) -> AskedQuestion {
        let id = ApplicationID(application)
        let question: Question
        do throws(QuestionMistake) {
            let form = try QuestionForm(plan: loaded.plan(), application: id, function: function)
            question = try await fill(form, loaded).get()
        } catch {
            throw CommandFailure(.wrong, error.description)
        }
        guard let driver = loaded.application(id)?.driver else { throw CommandFailure(.wrong, "there is no application \(id)") }
        return await AskedQuestion.ask(question, of: driver, id, within: limit, clock: HubClock())
    }

    private func fill(
        _ form: QuestionForm, _ loaded: Configuration
    ) async throws(QuestionMistake) -> Result<Question, QuestionMistake> {
        let fields = try AskArguments.fields(arguments, form.function)
        do {
            let hasStore = loaded.storeServer != nil || FileManager.default.fileExists(atPath: loaded.storePath)
            if form.needsLinks(fields), hasStore {
                return try await StoreAccess.read(loaded) { store in try form.question(fields, in: store) }
            }
            return try form.question(fields, in: nil)
        } catch {
            throw QuestionMistake(.argument, nil, "the hub's links cannot be read: \(error)")
        }
    }

    // MARK: Showing

    private func list(_ loaded: Configuration) throws(CommandFailure) {
        let functions: [FunctionManifest]
        do throws(QuestionMistake) {
            functions = try QuestionForm.functions(of: ApplicationID(application), loaded.plan())
        } catch {
            throw CommandFailure(.wrong, error.description)
        }
        if json {
            for function in functions { Output.json(function.value) }
        } else if functions.isEmpty {
            Output.line("\(application) answers no questions")
        } else {
            for line in functions.flatMap(\.lines) { Output.line(line) }
        }
    }

    private func show(_ asked: AskedQuestion) {
        guard case .says(let members, let asOf) = asked.ending else { return }
        let rows = members.map { [$0.name, AskArguments.shown($0.value)] }
        for line in Table(["\(asked.function)", ""], rows).lines.dropFirst() { Output.line(line) }
        Output.line("as of \(AskArguments.shown(Output.time(asOf)))")
    }
}
