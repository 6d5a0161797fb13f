// Invented names lead to loopback ports, and every other name is refused: PLACES is {"oak.test": 41234, ...}.
// TLS goes on as ever, for the name that was asked for; there is no way out without TLS.
import net from "node:net";
import tls from "node:tls";

const places = JSON.parse(process.env.PLACES);
const connect = tls.connect;

tls.connect = (options, ...rest) => {
  const name = options.servername || options.host;
  if (!(name in places)) throw new Error(`there is no ${name} in this town`);
  return connect({ ...options, servername: name, host: "127.0.0.1", port: places[name] }, ...rest);
};

net.connect = net.createConnection = () => {
  throw new Error("nothing is asked without TLS in this town");
};
