# deskbell in an image: built with pip from the hashes of requirements.lock, run by an ordinary user.

FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv --without-pip /opt/deskbell
COPY requirements.lock ./
RUN pip --disable-pip-version-check --python /opt/deskbell/bin/python install --no-cache-dir \
      --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY adapters adapters
COPY bot bot
COPY storage storage
COPY triage triage
RUN pip --disable-pip-version-check --python /opt/deskbell/bin/python install --no-cache-dir \
      --no-deps --no-build-isolation . \
 && pip --python /opt/deskbell/bin/python uninstall --yes setuptools

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin deskbell \
 && install -d -o deskbell -g deskbell /data
COPY --from=build /opt/deskbell /opt/deskbell
ENV PATH=/opt/deskbell/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp
USER deskbell
WORKDIR /data
# Vectors of articles, and the embedded database where no other is named; all else may be read-only.
VOLUME ["/data"]
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:3000/readyz', timeout=4)"]
ENTRYPOINT ["deskbell"]
CMD ["serve", "--config", "/desk/desk.yaml", "--data", "/data", "--host", "0.0.0.0", "--port", "3000"]
