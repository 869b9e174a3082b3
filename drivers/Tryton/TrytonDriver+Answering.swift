import FoundationEssentials
import HubDriver
import HubModel

extension TrytonDriver: Answering {
    /// The parameters and answers are everybody's; what each means in Tryton, the questions' own files say.
    static let functions: [FunctionManifest] = [.price, .stock, .credit, .validate]

    func answer(_ question: Question) async throws(DriverError) -> FunctionReply {
        let asOf = Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        do throws(TrytonFailure) {
            let work = try await work(question.company)
            guard let fields = try await fields(of: question, work) else {
                return .cannotSay(reason: "This Tryton has not what it takes to answer \(question.function).")
            }
            return .says(fields, asOf: asOf)
        } catch {
            switch error {
            case .refused(let rejection) where rejection.rule == "internal-error": return .cannotSay(reason: rejection.text)
            case .refused(let rejection): return .refused(rejection)
            case .warning(let name, let text), .asked(let name, let text): return .refused(TrytonRules.warning(name, text))
            case .changed: return .cannotSay(reason: "Tryton takes the question for a write.")
            case .busy(_, let reason): return .cannotSay(reason: reason)
            case .driver(var error):
                // Nothing is unsure about a question without an answer.
                if error.code == .noAnswer { error.code = .unreachable }
                throw error
            }
        }
    }

    /// Nil where the modules that it takes are not installed.
    private func fields(of question: Question, _ work: Work) async throws(TrytonFailure) -> Fields? {
        let sale = SaleType(settings: settings)
        let arguments = question.arguments
        switch question.function {
        case "price":
            guard work.profile.has("sale.sale") else { return nil }
            return try await PriceQuestion(arguments, sale, work).answer()?.fields
        case "stock":
            guard work.profile.has("product.product", "quantity") else { return nil }
            return try await StockQuestion(arguments, work).answer().fields
        case "credit":
            guard work.profile.has("party.party", "credit_amount") else { return nil }
            let party = try Given.key(arguments["customer"] ?? .null, "customer", rule: "unknown-customer")
            return try await CreditQuestion(party: party, amount: arguments["amount"]?.number ?? 0, work).answer().fields
        case "validate":
            guard work.profile.has("sale.sale") else { return nil }
            return try await ValidateQuestion(arguments["order"]?.object ?? Fields(), sale, work).answer().fields
        default:
            throw .refused(Rejection(rule: "unknown-function", text: "Tryton is not asked for \(question.function)."))
        }
    }
}
