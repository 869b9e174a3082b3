import Foundation

/// The driver `rest` beside bare clients, against a stand-in that is a process of its own: what it takes is not the hub's.
struct RESTBench {
    let size: BenchSize

    func rows() throws -> [BenchRow] {
        let pipe = Pipe()
        let service = try BenchProcess(["bench", "--stand-in"], output: pipe)
        defer { service.end() }
        let line = pipe.fileHandleForReading.availableData
        guard let port = Int(String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw BenchFailure("the stand-in for a REST system did not start")
        }
        return try [true, false].flatMap { isConditional in
            let application = MeasuredREST(url: "http://127.0.0.1:\(port)", isConditional: isConditional)
            return try ApplicationBench(size: size, application: application).rows()
        }
    }
}
