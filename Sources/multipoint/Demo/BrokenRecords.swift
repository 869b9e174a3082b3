import HubModel

/// Records that no application should publish; each has to end in the dead letters, and to hold up nothing.
enum BrokenRecords {
    static func make(topics: [String: String]) -> [Record] {
        guard let account = topics["account"] else { return [] }
        let head =
            #"{"specversion":"1.0","source":"/crm","type":"account.changed","subject":"900001","datacontenttype":"application/json","#
        let deep = String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)
        let values: [(id: String, text: String)] = [
            ("broken JSON", head + #""id":"b1","data":{"name":"half a"#),
            ("duplicate names", head + #""id":"b2","data":{"name":"one","name":"two","segment":"A"}}"#),
            ("wrong schema", head + #""id":"b3","data":{"name":17,"on_hold":"perhaps"}}"#),
            ("10,000 levels deep", head + #""id":"b4","data":{"name":\#(deep)}}"#),
            ("empty value", ""),
        ]
        return values.map { _, text in
            Record(
                topic: account, partition: -1, key: Array("account/900001".utf8), value: Array(text.utf8),
                headers: [.init("content-type", "application/cloudevents+json; charset=UTF-8")])
        }
    }
}
