import HubDriver
import HubModel

extension WarehouseDriver: Answering {
    func answer(_ question: Question) async throws(DriverError) -> FunctionReply {
        let key = question.arguments["product"]?.keyText.flatMap { Int($0) } ?? 0
        do throws(DriverError) {
            if defect == .writesForQuestions {
                _ = try await ask { [warehouse] in try? warehouse.create(["name": "a draft, for its price"], nil) }
            }
            return try await ask { [self] in reply(key, question.arguments["quantity"]?.number) }
        } catch {
            if defect == .answersFromMemory { return reply(key, nil) }
            throw error
        }
    }

    private func reply(_ key: Int, _ quantity: Number?) -> FunctionReply {
        guard let item = warehouse.item(key) ?? (defect == .answersForNothing ? Warehouse.Item() : nil) else {
            return .refused(Rejection(rule: "unknown-item", field: "product", text: "there is no item \(key)"))
        }
        let cents = item.fields["price"]?.number?.coefficient(atScale: 2) ?? 0
        let thousandths = (quantity ?? 1).coefficient(atScale: 3) ?? 0
        let answer = PriceAnswer(
            unitPrice: Number(cents, scale: 2), amount: Number(cents * thousandths / 1000, scale: 2), currency: "EUR")
        let members = defect == .leavesMembersOut ? answer.fields.filter { $0.name != "amount" } : answer.fields
        return .says(members, asOf: Instant(milliseconds: 1_790_000_000_000))
    }
}
