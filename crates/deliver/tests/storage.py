# Storage that speaks S3, for tests: moto on the port that is named, or on a free one for 0, and with the
# certificate that is in a folder, if one is named. Says where it is and by which key it is
# opened, as JSON; then does what it is told, a line of JSON each: an answer follows. Ends with standard input.
import collections
import json
import sys
import threading

import boto3
import moto.settings
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

# What it answers to whoever would put something there, as [status, code]; with none, it takes it.
refusal = None
# How often each object was taken.
taken = collections.Counter()


class Quiet(WSGIRequestHandler):
    def log_request(self, *_):
        pass


def watched(application):
    def answer(environ, start):
        path, is_put = environ["PATH_INFO"], environ["REQUEST_METHOD"] == "PUT" and ours not in environ["HTTP_USER_AGENT"]
        if is_put and refusal:
            # What was sent is read, as a storage does.
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start(f"{refusal[0]} Refused", [("Content-Type", "application/xml")])
            return [f"<Error><Code>{refusal[1]}</Code><Message>it is told to refuse</Message></Error>".encode()]

        def started(status, *rest):
            if is_put and status.startswith("2"):
                taken[path] += 1
            return start(status, *rest)

        return application(environ, started)

    return answer


ours = "storage.py"
tls = (f"{sys.argv[2]}/cert.pem", f"{sys.argv[2]}/key.pem") if len(sys.argv) > 2 else None
application = watched(DomainDispatcherApplication(create_backend_app))
server = make_server("127.0.0.1", int(sys.argv[1]), application, True, request_handler=Quiet, ssl_context=tls)
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
names = {"endpoint_url": endpoint, "region_name": "us-east-1", "verify": tls[0] if tls else True}
config = Config(retries={"max_attempts": 0}, user_agent_extra=ours)
iam = boto3.client("iam", aws_access_key_id="a", aws_secret_access_key="b", config=config, **names)
iam.create_user(UserName="scanner")
everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="scanner", PolicyName="all", PolicyDocument=json.dumps(everything))
key = iam.create_access_key(UserName="scanner")["AccessKey"]
keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
s3 = boto3.client("s3", config=config, **names, **keys)
s3.create_bucket(Bucket="scans")
# From now on keys are looked at.
moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = 0


def say(what):
    print(json.dumps(what), flush=True)


def objects():
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="scans")
    return [one for page in pages for one in page.get("Contents", [])]


say({"endpoint": endpoint, "port": server.server_port, "access_key": key["AccessKeyId"], "secret": key["SecretAccessKey"]})
for line in sys.stdin:
    told = json.loads(line)
    if told["do"] == "list":
        say({one["Key"]: one["Size"] for one in objects()})
    elif told["do"] == "get":
        found = s3.get_object(Bucket="scans", Key=told["key"])
        with open(told["to"], "wb") as file:
            file.write(found["Body"].read())
        say({"metadata": found["Metadata"]})
    elif told["do"] == "refuse":
        refusal = told["as"]
        say(None)
    elif told["do"] == "taken":
        say(taken)
    elif told["do"] == "uploads":
        say(len(s3.list_multipart_uploads(Bucket="scans").get("Uploads", [])))
    elif told["do"] == "rot":
        # The storage says of it what it always did.
        found = s3.get_object(Bucket="scans", Key=told["key"])
        body = bytearray(found["Body"].read())
        body[len(body) // 2] ^= 1
        s3.put_object(Bucket="scans", Key=told["key"], Body=bytes(body), Metadata=found["Metadata"])
        say(None)
    elif told["do"] == "remove":
        s3.delete_object(Bucket="scans", Key=told["key"])
        say(None)
server.shutdown()
